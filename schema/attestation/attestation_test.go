package attestation

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

var sum = strings.Repeat("0a", 32)

// newKey makes a key of its own for each byte.
func newKey(b byte) (ed25519.PrivateKey, Key) {
	private := ed25519.NewKeyFromSeed(append(make([]byte, 31), b))
	return private, Key{"key" + string('0'+rune(b)), private.Public().(ed25519.PublicKey)}
}

func statement() Statement {
	return Statement{
		Name: "debian.qcow2", SHA256: sum, Builder: "https://ci.example.org/images",
		Sources: []Source{{URI: "http://deb.debian.org/debian"}, {"file:///base.img", sum}},
		Built:   time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
	}
}

func sign(t *testing.T, s Statement, key ed25519.PrivateKey) []byte {
	t.Helper()
	data, err := Sign(s, key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRoundTrip signs a statement and reads it back.
func TestRoundTrip(t *testing.T) {
	private, public := newKey(1)
	_, other := newKey(2)
	data := sign(t, statement(), private)
	e, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(statement(), e.Statement); diff != "" {
		t.Errorf("(-said +read):\n%s", diff)
	}
	if e.Signatures[0].KeyID != KeyID(public.Public) {
		t.Errorf("the key is %q", e.Signatures[0].KeyID)
	}
	for name, tt := range map[string]struct {
		sum     string
		trusted []Key
		want    Verdict
	}{
		"trusted":     {sum, []Key{other, public}, Verdict{Verified, "key1", ""}},
		"not trusted": {sum, []Key{other}, Verdict{Status: Unknown}},
		"nobody":      {sum, nil, Verdict{Status: Unknown}},
		"another image": {strings.Repeat("0", 64), []Key{public},
			Verdict{Bad, "key1", "it is about a file with the checksum " + sum}},
	} {
		if diff := cmp.Diff(tt.want, e.Check(tt.sum, tt.trusted)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestForged: what was changed after it was signed is bad.
func TestForged(t *testing.T) {
	private, public := newKey(1)
	var raw envelope
	if err := json.Unmarshal(sign(t, statement(), private), &raw); err != nil {
		t.Fatal(err)
	}
	payload, _ := base64.StdEncoding.DecodeString(raw.Payload)
	raw.Payload = base64.URLEncoding.EncodeToString(
		[]byte(strings.Replace(string(payload), "ci.example.org", "evil.example.org", 1)))
	forged, _ := json.Marshal(raw)
	e, err := Parse(forged)
	if err != nil {
		t.Fatal(err)
	}
	if v := e.Check(sum, []Key{public}); v.Status != Bad || v.Signer != "key1" || v.Reason == "" {
		t.Errorf("it is %+v", v)
	}
	raw.Signatures[0].KeyID = ""
	forged, _ = json.Marshal(raw)
	if e, err = Parse(forged); err != nil {
		t.Fatal(err)
	}
	if v := e.Check(sum, []Key{public}); v.Status != Unknown {
		t.Errorf("without a key's name it is %+v", v)
	}
}

// TestTheFormIsDSSE holds the signed bytes against the standard's own example form.
func TestTheFormIsDSSE(t *testing.T) {
	const want = "DSSEv1 28 application/vnd.in-toto+json 5 hello"
	if got := string(signed([]byte("hello"))); got != want {
		t.Errorf("signed is %q", got)
	}
	private, _ := newKey(1)
	var raw envelope
	if err := json.Unmarshal(sign(t, statement(), private), &raw); err != nil {
		t.Fatal(err)
	}
	payload, _ := base64.StdEncoding.DecodeString(raw.Payload)
	const statement = `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":` +
		`"debian.qcow2","digest":{"sha256":"SUM"}}],"predicateType":` +
		`"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"buildType":` +
		`"urn:philoxenia:2026:image","externalParameters":{},"resolvedDependencies":[{"uri":` +
		`"http://deb.debian.org/debian"},{"uri":"file:///base.img","digest":{"sha256":"SUM"}}]},` +
		`"runDetails":{"builder":{"id":"https://ci.example.org/images"},"metadata":` +
		`{"finishedOn":"2026-11-22T09:00:00Z"}}}}`
	if got := strings.ReplaceAll(string(payload), sum, "SUM"); got != statement {
		t.Errorf("the statement is\n%s, want\n%s", got, statement)
	}
}

// TestRefused: what is no attestation is not read, and says why.
func TestRefused(t *testing.T) {
	private, _ := newKey(1)
	good := string(sign(t, statement(), private))
	payload := func(text string) string {
		return `{"payloadType":"` + payloadType + `","signatures":[{"sig":""}],"payload":"` +
			base64.StdEncoding.EncodeToString([]byte(text)) + `"}`
	}
	const begin = `{"_type":"` + statementType + `","predicateType":"` + predicateType + `"`
	changed := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for text, want := range map[string]string{
		"":                                 "it is not a DSSE envelope in JSON",
		good + "1":                         "there is more than one value",
		changed(payloadType, "text/plain"): `its payload is of type "text/plain"`,

		changed(`"payload":"`, `"payload":"!`): "its payload is not base64",
		changed(`"sig":"`, `"sig":"!`):         "a signature is not base64",

		`{"payloadType":"` + payloadType + `"}`: "nobody signed it",

		payload("x"):                       "the statement is not the JSON that it should be",
		payload(`{}`):                      `the statement is of type ""`,
		payload(begin + `}`):               "the statement is not about one file",
		strings.Repeat(" ", MaxEnvelope+1): "it has 65537 bytes",

		payload(begin + `,"subject":[{"digest":{"sha256":"` + sum + `"}}]}`): "does not say who",
		payload(`{"_type":"` + statementType + `"}`):                         `has a predicate`,
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %.60q the error is %v, want %q", text, err, want)
		}
	}
	for name, s := range map[string]Statement{
		"no sum": {Builder: "me"}, "no builder": {SHA256: sum},
	} {
		if _, err := Sign(s, private); err == nil {
			t.Errorf("a statement with %s was signed", name)
		}
	}
}

// TestKeys reads public keys as the tools of this world write them.
func TestKeys(t *testing.T) {
	_, key := newKey(1)
	converted, err := ssh.NewPublicKey(key.Public)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(converted)))
	if got := FormatPublicKey(key.Public, ""); got != line {
		t.Errorf("the line is %q, want %q", got, line)
	}
	if got, want := KeyID(key.Public), ssh.FingerprintSHA256(converted); got != want {
		t.Errorf("the fingerprint is %q, want %q", got, want)
	}
	der, _ := x509.MarshalPKIXPublicKey(key.Public)
	inPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	for _, text := range []string{line, line + " ada@example.org\n", inPEM} {
		if got, err := ParsePublicKey(text); err != nil || !got.Equal(key.Public) {
			t.Errorf("of %q: %v, %v", text, got, err)
		}
	}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	der, _ = x509.MarshalPKIXPublicKey(other.Public())
	otherPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	for text, want := range map[string]string{
		"":                               `expected a line "ssh-ed25519`,
		"ssh-rsa AAAA":                   `expected a line "ssh-ed25519`,
		line + "\n" + line:               `expected a line "ssh-ed25519`,
		"ssh-ed25519 AAAA":               "it is not a key of Ed25519",
		"ssh-ed25519 !":                  "it is not base64",
		line[:len(line)-8]:               "it is not",
		inPEM + inPEM:                    "it is not one PUBLIC KEY in PEM",
		strings.ToLower(inPEM[:40]) + "": "expected a line",
		otherPEM:                         "expected one of Ed25519",
	} {
		if _, err := ParsePublicKey(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %.40q the error is %v, want %q", text, err, want)
		}
	}
}

// TestKeysOfOpenSSH reads what ssh-keygen writes.
func TestKeysOfOpenSSH(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "",
		"-f", file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	line, err := os.ReadFile(file + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePublicKey(string(line))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := exec.CommandContext(t.Context(), "ssh-keygen", "-l", "-f", file).Output()
	if err != nil || !strings.Contains(string(shown), KeyID(key)) {
		t.Errorf("ssh-keygen shows %q, %v, and here it is %q", shown, err, KeyID(key))
	}
}

// FuzzParse: what is read can be checked, and nothing panics.
func FuzzParse(f *testing.F) {
	private, public := newKey(1)
	data, err := Sign(statement(), private)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","signatures":[{"sig":""}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Parse(data)
		if err != nil {
			return
		}
		v := e.Check(e.Statement.SHA256, []Key{public})
		if v.Status == Verified {
			again, err := Sign(e.Statement, private)
			if err != nil || len(again) == 0 {
				t.Errorf("what is verified cannot be signed: %v", err)
			}
		}
	})
}
