package sftp_test

import (
	"crypto/aes"
	"crypto/cipher"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	benchBytes = 512 << 20
	perGiB     = float64(1<<30) / benchBytes
)

// rounds is how often each way is tried; the ways take turns, so that what
// else the machine does hits them alike.
const rounds = 5

// BenchmarkAgainstSCP moves the same dense image with this transport and with scp,
// as it comes (sftp protocol, its own choice of cipher), both ways. Beside the
// rates it reports the processor time per GiB that client and server spend together:
// that is what stays the same when others use the machine, too.
func BenchmarkAgainstSCP(b *testing.B) {
	s := sshdtest.Start(b)
	transport := sftp.New(sftp.Options{Servers: []sftp.Server{configured(s, s.Root)}})
	defer transport.Close()
	host := b.TempDir()
	mine, theirs := filepath.Join(host, "mine"), filepath.Join(host, "theirs")
	there := filepath.Join(s.Root, "image")
	random(b, there)
	remote := "sftp://" + s.Address + "/"
	fetch := func() error {
		_, err := transport.Fetch(b.Context(),
			workspace.Fetch{Location: remote + "image", Path: mine})
		return err
	}
	b.Run("fetch", func(b *testing.B) {
		compare(b, s, fetch, scp(s, s.User+"@"+host1+":"+there, theirs), mine, theirs)
	})
	if err := fetch(); err != nil {
		b.Fatal(err)
	}
	deliver := func() error {
		_, err := transport.Deliver(b.Context(),
			workspace.Deliver{Location: remote + "saved", Path: mine})
		return err
	}
	copied := filepath.Join(s.Root, "copied")
	b.Run("deliver", func(b *testing.B) {
		compare(b, s, deliver, scp(s, mine, s.User+"@"+host1+":"+copied),
			filepath.Join(s.Root, "saved"), copied)
	})
}

const host1 = "127.0.0.1"

func random(b *testing.B, path string) {
	b.Helper()
	out, err := exec.Command("dd", "if=/dev/urandom", "of="+path, "bs=1M", "count=512",
		"status=none").CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

func scp(s *sshdtest.Server, from, to string) func() error {
	port := s.Address[strings.LastIndex(s.Address, ":")+1:]
	return func() error {
		return exec.Command("scp", "-q", "-F", "/dev/null", "-i", s.KeyFile, "-P", port,
			"-o", "UserKnownHostsFile="+s.KnownHosts, "-o", "BatchMode=yes", from, to).Run()
	}
}

// cost is what one transfer takes.
type cost struct{ rate, client, server float64 } // MiB/s, CPU seconds per GiB

// compare reports the medians of both ways, and their ratios.
func compare(b *testing.B, s *sshdtest.Server, ours, theirs func() error, made ...string) {
	var our, their []cost
	for b.Loop() {
		for range rounds {
			for _, path := range made {
				os.Remove(path)
				os.Remove(path + ".sha256")
			}
			our = append(our, take(b, s, ours))
			their = append(their, take(b, s, theirs))
		}
	}
	limit := cipherRate(b)
	rate := func(c cost) float64 { return c.rate }
	client := func(c cost) float64 { return c.client }
	server := func(c cost) float64 { return c.server }
	both := func(c cost) float64 { return c.client + c.server }
	b.ReportMetric(middle(our, rate), "ours-MiB/s")
	b.ReportMetric(middle(their, rate), "scp-MiB/s")
	b.ReportMetric(middle(our, rate)/middle(their, rate), "ratio")
	b.ReportMetric(limit, "cipher-MiB/s")
	b.ReportMetric(middle(our, rate)/limit, "of-cipher")
	b.ReportMetric(middle(our, client), "ours-CPU-s/GiB")
	b.ReportMetric(middle(our, server), "ours-sshd-CPU-s/GiB")
	b.ReportMetric(middle(their, client), "scp-CPU-s/GiB")
	b.ReportMetric(middle(their, server), "scp-sshd-CPU-s/GiB")
	b.ReportMetric(middle(their, both)/middle(our, both), "CPU-ratio")
	b.ReportMetric(0, "ns/op")
}

func middle(all []cost, of func(cost) float64) float64 {
	var values []float64
	for _, c := range all {
		values = append(values, of(c))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func take(b *testing.B, s *sshdtest.Server, move func() error) cost {
	b.Helper()
	own, served, began := spent(b), s.Spent(), time.Now()
	if err := move(); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	return cost{benchBytes / (1 << 20) / took.Seconds(), (spent(b) - own).Seconds() * perGiB,
		(s.Spent() - served).Seconds() * perGiB}
}

// spent is the processor time of this process and of the programs that it ran.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var sum int64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			b.Fatal(err)
		}
		sum += u.Utime.Nano() + u.Stime.Nano()
	}
	return time.Duration(sum)
}

// cipherRate is the limit of one core in MiB/s: AES-128-GCM, on which the transport
// and OpenSSH agree, over packets of the size that SSH sends, in memory and nothing else.
func cipherRate(b *testing.B) float64 {
	b.Helper()
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	seal, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	const packet = 32 << 10
	nonce, buffer := make([]byte, seal.NonceSize()), make([]byte, packet, packet+seal.Overhead())
	before := spent(b)
	for range benchBytes / packet {
		seal.Seal(buffer[:0], nonce, buffer, nil)
	}
	return benchBytes / (1 << 20) / (spent(b) - before).Seconds()
}
