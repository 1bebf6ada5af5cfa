package notify

import (
	"net/netip"
	"net/url"
	"testing"
)

// FuzzConsumerURL looks for a spelling that gets past the guard although it is
// a literal of a closed address, or no http URL at all.
func FuzzConsumerURL(f *testing.F) {
	for _, text := range refusedURLs {
		f.Add(text)
	}
	f.Add("http://192.0.2.7:18500/x")
	f.Fuzz(func(t *testing.T, text string) {
		if (Guard{}).URL(text) != nil {
			return
		}
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			t.Errorf("%q was accepted", text)
			return
		}
		if ip, err := netip.ParseAddr(u.Hostname()); err == nil && (Guard{}).Address(ip) != nil {
			t.Errorf("%q was accepted, %s is closed", text, ip)
		}
	})
}
