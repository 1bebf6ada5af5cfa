package sftp_test

import (
	"crypto/aes"
	"crypto/cipher"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/philoxenia/philoxenia/adapters/transport/login/sshdtest"
	"github.com/philoxenia/philoxenia/adapters/transport/sftp"
	"github.com/philoxenia/philoxenia/service/workspace"
)

const (
	benchBytes = 1 << 30
	perGiB     = float64(1<<30) / benchBytes
)

// rounds is how often each way is tried; the ways take turns, so that what
// else the machine does hits them alike.
const rounds = 3

// BenchmarkAgainstSCP moves the same dense image with this transport, with scp as it
// comes (sftp protocol, its own choice of cipher), and as a bare stream of ssh with
// our cipher from and to nothing but memory, both ways. Ratios are of neighbours in
// time. Beside the rates it reports the processor time per GiB that client and server
// spend: that is what stays the same when others use the machine, too.
//
// What has come is compared with the image after the clock has stopped, for both alike.
// Our time holds more than scp's: the transport keeps a sum while it fetches, and when it
// delivers it computes SHA-256 and waits for the server's disk.
func BenchmarkAgainstSCP(b *testing.B) {
	s := sshdtest.Start(b)
	transport := sftp.New(sftp.Options{Servers: []sftp.Server{configured(s, s.Root)}})
	defer transport.Close()
	there := filepath.Join(s.Root, "image")
	random(b, there)
	here := filepath.Join(b.TempDir(), "image")
	remote := "sftp://" + s.Address + "/"
	b.Run("fetch", func(b *testing.B) {
		mine, theirs := here+".mine", here+".theirs"
		compare(b, s, there, []*way{
			{name: "ours", makes: mine, move: func() error {
				_, err := transport.Fetch(b.Context(),
					workspace.Fetch{Location: remote + "image", Path: mine})
				return err
			}},
			{name: "scp", makes: theirs, move: scp(s, s.User+"@"+host1(s)+":"+there, theirs)},
			{name: "stream", move: stream(s, os.DevNull, "cat "+there)},
		})
	})
	if err := os.Rename(there, here); err != nil {
		b.Fatal(err)
	}
	b.Run("deliver", func(b *testing.B) {
		copied := filepath.Join(s.Root, "copied")
		compare(b, s, here, []*way{
			{name: "ours", makes: filepath.Join(s.Root, "saved"), move: func() error {
				_, err := transport.Deliver(b.Context(),
					workspace.Deliver{Location: remote + "saved", Path: here})
				return err
			}},
			{name: "scp", makes: copied, move: scp(s, here, s.User+"@"+host1(s)+":"+copied)},
			{name: "stream", move: stream(s, here, "cat >/dev/null")},
		})
	})
}

// host1 is the server's address without its port.
func host1(s *sshdtest.Server) string { return s.Address[:strings.LastIndex(s.Address, ":")] }

func random(b *testing.B, path string) {
	b.Helper()
	out, err := exec.Command("dd", "if=/dev/urandom", "of="+path, "bs=1M",
		"count="+strconv.Itoa(benchBytes>>20), "status=none").CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %s", err, out)
	}
}

// login is what OpenSSH's programs need to know.
func login(s *sshdtest.Server) []string {
	return []string{"-q", "-F", "/dev/null", "-i", s.KeyFile, "-o", "BatchMode=yes",
		"-o", "UserKnownHostsFile=" + s.KnownHosts,
		"-o", "Port=" + s.Address[strings.LastIndex(s.Address, ":")+1:]}
}

func scp(s *sshdtest.Server, from, to string) func() error {
	return func() error { return exec.Command("scp", append(login(s), from, to)...).Run() }
}

// stream runs a command on the server that reads the file; what it says is thrown away.
func stream(s *sshdtest.Server, file, command string) func() error {
	return func() error {
		in, err := os.Open(file)
		if err != nil {
			return err
		}
		defer in.Close()
		cmd := exec.Command("ssh", append(login(s), "-c", "aes128-gcm@openssh.com",
			s.User+"@"+host1(s), command)...)
		cmd.Stdin = in
		return cmd.Run()
	}
}

// way is one that data can take.
type way struct {
	name  string
	makes string // a file; "": nothing that could be compared
	move  func() error
	costs []cost
}

// cost is what one transfer takes.
type cost struct{ rate, client, server float64 } // MiB/s, CPU seconds per GiB

// compare reports the medians of all ways, and the ratios of ours, the first.
func compare(b *testing.B, s *sshdtest.Server, image string, ways []*way) {
	var cipher, ofCipher []float64
	for b.Loop() {
		for i := range rounds {
			for j := range ways {
				w := ways[(i+j)%len(ways)] // nobody is always the first
				w.costs = append(w.costs, take(b, s, w.move))
				w.verify(b, image)
			}
			cipher = append(cipher, cipherRate(b))
			ofCipher = append(ofCipher, ways[0].costs[i].rate/cipher[i])
		}
	}
	ours, scp, stream := ways[0].costs, ways[1].costs, ways[2].costs
	rate := func(c cost) float64 { return c.rate }
	client := func(c cost) float64 { return c.client }
	server := func(c cost) float64 { return c.server }
	both := func(c cost) float64 { return c.client + c.server }
	for _, w := range ways {
		spread(b, w.name+"-MiB/s", each(w.costs, rate))
		spread(b, w.name+"-CPU-s/GiB", each(w.costs, client))
		spread(b, w.name+"-sshd-CPU-s/GiB", each(w.costs, server))
	}
	spread(b, "cipher-MiB/s", cipher)
	spread(b, "ratio", ratios(ours, scp, rate))
	spread(b, "CPU-ratio", ratios(scp, ours, both))
	spread(b, "of-stream", ratios(ours, stream, rate))
	spread(b, "of-cipher", ofCipher)
	b.ReportMetric(float64(len(ours)), "pairs")
	b.ReportMetric(0, "ns/op")
}

// verify compares what the way has made with the image, and removes it.
func (w *way) verify(b *testing.B, image string) {
	b.Helper()
	if w.makes == "" {
		return
	}
	if out, err := exec.Command("cmp", image, w.makes).CombinedOutput(); err != nil {
		b.Fatalf("%s brought other bytes: %v: %s", w.name, err, out)
	}
	os.Remove(w.makes)
	os.Remove(w.makes + ".sha256")
}

func each(all []cost, of func(cost) float64) (values []float64) {
	for _, c := range all {
		values = append(values, of(c))
	}
	return values
}

// ratios are those of pairs that ran one after the other.
func ratios(all, to []cost, of func(cost) float64) (values []float64) {
	for i := range all {
		values = append(values, of(all[i])/of(to[i]))
	}
	return values
}

// spread reports the median of an odd number of values, and between which they lie.
func spread(b *testing.B, unit string, values []float64) {
	slices.Sort(values)
	b.ReportMetric(values[len(values)/2], unit)
	b.ReportMetric(values[0], unit+"-min")
	b.ReportMetric(values[len(values)-1], unit+"-max")
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
