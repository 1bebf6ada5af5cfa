package libvirtdtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
)

// CA is a certificate authority for tests.
type CA struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewCA makes an authority and writes its certificate to path.
func NewCA(t testing.TB, path string) *CA {
	t.Helper()
	ca := &CA{t: t}
	ca.cert = template("a test's authority")
	ca.cert.IsCA, ca.cert.BasicConstraintsValid = true, true
	ca.cert.KeyUsage = x509.KeyUsageCertSign
	der, key := ca.sign(ca.cert)
	ca.key = key
	writePEM(t, path, "CERTIFICATE", der)
	return ca
}

// template is a certificate for the length of a test.
func template(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
}

// sign makes a key and a certificate for it, its own where there is no authority yet.
func (ca *CA) sign(c *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	ca.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		ca.t.Fatal(err)
	}
	by := ca.key
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, ca.cert, &key.PublicKey, by)
	if err != nil {
		ca.t.Fatal(err)
	}
	return der, key
}

// Issue writes a certificate and its key for a name and addresses, good for
// servers and clients.
func (ca *CA) Issue(certFile, keyFile, name string, addresses ...string) {
	ca.t.Helper()
	c := template(name)
	c.DNSNames = []string{name}
	for _, a := range addresses {
		c.IPAddresses = append(c.IPAddresses, net.ParseIP(a))
	}
	c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	der, key := ca.sign(c)
	writePEM(ca.t, certFile, "CERTIFICATE", der)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		ca.t.Fatal(err)
	}
	writePEM(ca.t, keyFile, "PRIVATE KEY", secret)
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// makePKI makes the lab's authority and the test's own certificate.
func (l *Lab) makePKI() {
	l.ca = NewCA(l.t, filepath.Join(l.dir, "ca.pem"))
	l.ca.Issue(filepath.Join(l.dir, "client.pem"), filepath.Join(l.dir, "client.key"), "client")
}

// hostPKI writes a host's certificates where libvirt and QEMU look for them.
func (l *Lab) hostPKI(h *LabHost, dir string) {
	own, qemu := filepath.Join(dir, "libvirt"), filepath.Join(dir, "qemu")
	cert := filepath.Join(own, "servercert.pem")
	key := filepath.Join(own, "private", "serverkey.pem")
	l.ca.Issue(cert, key, h.Name, h.Address)
	l.copyAll(map[string]string{
		filepath.Join(dir, "CA", "cacert.pem"):         h.TLS.CAFile,
		filepath.Join(own, "clientcert.pem"):           h.TLS.CertFile,
		filepath.Join(own, "private", "clientkey.pem"): h.TLS.KeyFile,
		filepath.Join(qemu, "ca-cert.pem"):             h.TLS.CAFile,
		filepath.Join(qemu, "client-cert.pem"):         h.TLS.CertFile,
		filepath.Join(qemu, "client-key.pem"):          h.TLS.KeyFile,
		filepath.Join(qemu, "server-cert.pem"):         cert,
		filepath.Join(qemu, "server-key.pem"):          key,
	})
}

// copyAll copies files.
func (l *Lab) copyAll(files map[string]string) {
	l.t.Helper()
	for to, from := range files {
		data, err := os.ReadFile(from)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
		if err != nil {
			l.t.Fatal(err)
		}
	}
}

// OtherKey writes a private SSH key that nobody knows and returns its public half,
// as in known_hosts without the name.
func OtherKey(t testing.TB, path string) string {
	t.Helper()
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(sshdtest.WriteKey(t, path))))
}
