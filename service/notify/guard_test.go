package notify

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
)

// refusedURLs are ways to write an address that the server must not post to.
var refusedURLs = map[string]string{
	"loopback":                        "http://127.0.0.1/",
	"loopback with a port":            "http://127.0.0.1:8080/x",
	"loopback over https":             "https://127.0.0.1/",
	"anywhere in 127/8":               "http://127.254.3.1/",
	"localhost":                       "http://localhost:80/",
	"localhost in capitals":           "http://LOCALHOST/",
	"localhost with a dot":            "http://localhost./",
	"below localhost":                 "http://a.localhost/",
	"IPv6 loopback":                   "http://[::1]/",
	"IPv6 loopback in full":           "http://[0:0:0:0:0:0:0:1]:80/",
	"decimal":                         "http://2130706433/",
	"hexadecimal":                     "http://0x7f000001/",
	"octal":                           "http://017700000001/",
	"dotted octal":                    "http://0177.0.0.1/",
	"dotted hexadecimal":              "http://0x7f.0.0.1/",
	"mixed":                           "http://127.0.0x1/",
	"two parts":                       "http://127.1/",
	"three parts":                     "http://127.0.1/",
	"loopback with a dot":             "http://127.0.0.1./",
	"leading zeros":                   "http://127.000.000.001/",
	"zero":                            "http://0/",
	"unspecified":                     "http://0.0.0.0/",
	"this network":                    "http://0.1.2.3/",
	"IPv6 unspecified":                "http://[::]/",
	"metadata":                        "http://169.254.169.254/latest/meta-data/",
	"metadata in decimal":             "http://2852039166/",
	"link-local":                      "http://169.254.1.1/",
	"IPv6 link-local":                 "http://[fe80::1]/",
	"IPv6 link-local with a zone":     "http://[fe80::1%25eth0]/",
	"loopback with a zone":            "http://[::1%25lo]/",
	"IPv4-mapped loopback":            "http://[::ffff:127.0.0.1]/",
	"IPv4-mapped loopback, hex":       "http://[::ffff:7f00:1]/",
	"IPv4-mapped metadata":            "http://[::ffff:169.254.169.254]/",
	"IPv4-compatible":                 "http://[::127.0.0.1]/",
	"IPv4-translated":                 "http://[::ffff:0:127.0.0.1]/",
	"NAT64":                           "http://[64:ff9b::7f00:1]/",
	"NAT64 local":                     "http://[64:ff9b:1::7f00:1]/",
	"6to4":                            "http://[2002:7f00:1::]/",
	"Teredo":                          "http://[2001:0:7f00:1::]/",
	"unique local":                    "http://[fd00:ec2::254]/",
	"unique local, low half":          "http://[fc00::1]/",
	"site-local":                      "http://[fec0::1]/",
	"multicast":                       "http://224.0.0.1/",
	"IPv6 multicast":                  "http://[ff02::1]/",
	"broadcast":                       "http://255.255.255.255/",
	"reserved":                        "http://240.0.0.1/",
	"shared space":                    "http://100.100.100.200/",
	"protocol assignments":            "http://192.0.0.192/",
	"file":                            "file:///etc/passwd",
	"ftp":                             "ftp://192.0.2.1/",
	"gopher":                          "gopher://192.0.2.1:70/_x",
	"no scheme":                       "192.0.2.1/x",
	"scheme-relative":                 "//192.0.2.1/x",
	"opaque":                          "http:192.0.2.1",
	"javascript":                      "javascript:alert(1)",
	"no host":                         "http:///x",
	"empty":                           "",
	"user information":                "http://a:b@192.0.2.1/",
	"user information that misleads":  "http://192.0.2.1@127.0.0.1/",
	"port 0":                          "http://192.0.2.1:0/",
	"port too high":                   "http://192.0.2.1:65536/",
	"port that is a word":             "http://192.0.2.1:http/",
	"space in the host":               "http://exa mple.org/",
	"line break":                      "http://example.org/\r\nX: y",
	"full-width digits":               "http://１２７.0.0.1/",
	"circled digits":                  "http://①②⑦.0.0.1/",
	"ideographic full stops":          "http://127。0。0。1/",
	"percent-encoded host":            "http://%31%32%37.0.0.1/",
	"too long":                        "http://example.org/" + strings.Repeat("x", 3000),
	"dots alone":                      "http://.../",
	"anonymous, which is not a place": "http://0x/",
}

func TestGuardRefuses(t *testing.T) {
	for name, text := range refusedURLs {
		t.Run(name, func(t *testing.T) {
			if err := (Guard{}).URL(text); err == nil {
				t.Errorf("URL(%q) was accepted", text)
			}
		})
	}
	if len(refusedURLs) < 40 {
		t.Errorf("only %d spellings", len(refusedURLs))
	}
}

func TestGuardAccepts(t *testing.T) {
	tests := map[string]struct {
		guard Guard
		url   string
	}{
		"a public address":     {Guard{}, "http://192.0.2.7:18500/wsrf/services/X"},
		"a name":               {Guard{}, "http://client.example.org:18500/x"},
		"a name with a dot":    {Guard{}, "https://client.example.org./"},
		"a single label":       {Guard{}, "http://grid-ui_1/"},
		"a private address":    {Guard{}, "http://10.9.1.7:18500/"},
		"another private one":  {Guard{}, "http://192.168.1.7/"},
		"a public IPv6":        {Guard{}, "http://[2a00:1450:4001::5]:99/"},
		"loopback, allowed":    {Guard{Allow: Loopback()}, "http://127.0.0.1:18500/x"},
		"localhost, allowed":   {Guard{Allow: Loopback()}, "http://localhost:18500/x"},
		"IPv6 loopback, same":  {Guard{Allow: Loopback()}, "http://[::1]:18500/x"},
		"mapped form of it":    {Guard{Allow: Loopback()}, "http://[::ffff:127.0.0.1]/x"},
		"a prefix of the site": {Guard{Allow: prefixes("fd12::/16")}, "http://[fd12::9]/x"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := tt.guard.URL(tt.url); err != nil {
				t.Errorf("URL(%q) = %v", tt.url, err)
			}
		})
	}
}

func TestAllowedPrefixOpensNothingElse(t *testing.T) {
	g := Guard{Allow: Loopback()}
	for _, text := range []string{
		"http://169.254.169.254/", "http://[fe80::1]/", "http://[64:ff9b::7f00:1]/",
		"http://2130706433/",
	} {
		if err := g.URL(text); err == nil {
			t.Errorf("URL(%q) was accepted because loopback is allowed", text)
		}
	}
}

// TestDialerIsGuarded is the rebinding case: the name was harmless when the
// subscription was made, and points to loopback now.
func TestDialerIsGuarded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for name, tt := range map[string]struct {
		guard Guard
		ok    bool
	}{
		"closed": {Guard{}, false}, "allowed": {Guard{Allow: Loopback()}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := net.Dialer{Control: tt.guard.Control}
			conn, err := d.DialContext(context.Background(), "tcp", l.Addr().String())
			if (err == nil) != tt.ok {
				t.Errorf("dialling %s gave %v", l.Addr(), err)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
}

// TestServerDoesNotNotifyItself dials the address that it has itself,
// in all their spellings, although loopback is allowed.
func TestServerDoesNotNotifyItself(t *testing.T) {
	g := Guard{Allow: Loopback(), Own: []netip.AddrPort{
		netip.MustParseAddrPort("127.0.0.1:8080"), netip.MustParseAddrPort("[::1]:8080")}}
	for address, ok := range map[string]bool{
		"127.0.0.1:8080": false, "[::ffff:127.0.0.1]:8080": false, "127.0.0.1:8081": true,
		"127.0.0.2:8080": true, "[::1]:8080": false, "[::1%lo]:8080": false, "[::1%1]:8080": false,
	} {
		if err := g.Control("tcp", address, nil); (err == nil) != ok {
			t.Errorf("dialling %s gave %v", address, err)
		}
	}
}

func TestControlWantsAnAddress(t *testing.T) {
	if err := (Guard{}).Control("tcp", "example.org:80", nil); err == nil {
		t.Error("Control accepted a name, which it cannot judge")
	}
}

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, s := range texts {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}
