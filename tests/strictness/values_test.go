package strictness

import "strings"

// values are what the text of an element is replaced with: words that some
// element takes, and what looks like them.
var values = append([]string{
	// Numbers.
	"0", "1", "-1", "+1", "-0", "01", "2.0", "1.", ".5", ".", "+.5e-3", "1e5", "1E5", "1e308",
	"1e309", "1e-400", "e5", "0x10", "1_000", "1,5", "1 0", "NaN", "nan", "INF", "-INF", "+INF",
	"Infinity", "0.5", "0.0", "-256.0", "32767", "32768", "-32768", "64", "65", "4096",
	"2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
	"1000000000000000", "99999999999999999999999999", "\u0661", "--1", "+",
	// Durations.
	"PT30M", "PT0S", "P0D", "PT0.0001S", "P1D", "P1DT1H", "P1Y", "P1M", "P1Y2M3DT4H5M6.7S",
	"-PT5M",
	"+PT5M", "PT", "P", "P1DT", "PT1.5H", "PT1.S", "PT.5S", "PT1.5S", "P1W", "pt5m", "PT5m",
	"PT1H30",
	"PT1M1H", "P1H", "PT99999999999999999999S", "PT9223372036S", "PT9223372037S", "P106751D",
	"P106752D", "PT5M ", "P 1D", "-P0D", "P30DT0H0M0S",
	// Times.
	"2026-01-31T12:00:00Z", "2026-01-31T12:00:00", "2026-01-31T12:00:00.123456789Z",
	"2026-01-31T12:00:00+14:00", "2026-01-31T12:00:00+14:01", "2026-01-31T12:00:00-00:00",
	"2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+0100", "2026-01-31T12:00:00+1:00",
	"2026-01-31T24:00:00Z", "2026-01-31T24:00:01Z", "2026-01-31T23:59:60Z", "2026-02-29T12:00:00Z",
	"2024-02-29T12:00:00Z", "0000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z",
	"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "10000-01-01T00:00:00Z",
	"99999-01-01T00:00:00Z", "02026-01-31T12:00:00Z", "2026-1-31T12:00:00Z", "2026-01-31",
	"2026-01-31 12:00:00Z", "2026-01-31T1:00:00Z", "2026-01-31T12:00Z", "2026-01-31T12:00:00.Z",
	"2026-01-31T12:00:00,5Z", "2026-01-31t12:00:00z", "2026-13-01T00:00:00Z",
	"0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z",
	// Truth values.
	"true", "false", "TRUE", "yes", "True", " true ",
	// Addresses.
	"http://example.org/a?b=c#d", "http://example.org/a b", "http://[::1]:80/", "http://[::1",
	"http://example.org/%zz", "http://example.org/%C3%A9", "http://example.org/\u00e9", "relative",
	"../up", "#fragment", "::", "://x", "urn:x", "urn:", "file://", "file:///etc/passwd",
	"http://user:secret@example.org/", "http://example.org:port/", "http://example.org:99999/",
	"HTTP://EXAMPLE.ORG/", "1http://x", "mailto:a@b", "http://x/\\", "http://x/^", "http://x/{a}",
	"http://x/a|b", "http://x/<a>", "http://x/\"a\"", "http://x/`", "http://x/##",
	// Qualified names.
	"xsi:nil", "mut:name", "no:prefix", "name", ":name", "name:", "a:b:c", "mut: name", "1x",
	"mut:1x", "-name", "mut:a/mut:b", "mut:*", "//mut:a", "mut:a|mut:b", "xml:lang", "xmlns:a",
	// Words of the enumerations.
	"Running", "Paused", "Unstaged", "Unpropagated", "Propagated", "TransportReady", "StagedOut",
	"Corrupted", "Cancelled", "Normal", "Pause", "Reboot", "Serialize", "Trash",
	"ReadyForTransport",
	"running", "Xen", "VMware", "KVM", "x86", "x86_64", "other", "ReadOnly", "ReadWrite",
	"AllocateAndConfigure", "AcceptAndConfigure", "Advisory",
	// Anything.
	"", " ", "\n", "\u00a0", "\u0085", "\u200b", "word", " word ", "two words", "a\tb", "a\nb",
	"a\rb",
	"\u00e9", "\U0001f600", "\ufffd", "<b>", "]]>", "&amp;", "\x7f", "\u0080", "\u2028", "\ufeff",
	"/etc/role.txt", "etc/role.txt", "/etc/../role", "/", "//etc/role", "/etc/", "sda1", "sda",
	"/dev/sda1", "SDA1", "eth0", "A2:AA:BB:9E:78:6D", "a2-aa-bb-9e-78-6d", "12345678901234567",
	"192.168.0.1", "http://www.w3.org/TR/1999/REC-xpath-19991116",
	"http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple",
}, strings.Repeat("x", 2049), strings.Repeat("y", 4097), strings.Repeat("z", 40961))
