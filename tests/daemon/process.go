package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// startLimit is how long a start may take before it counts as failed: many
// times what any machine needs, so that only a daemon that hangs meets it.
const startLimit = 120 * time.Second

// Options say how to start a daemon.
type Options struct {
	Bin    string    // directory with the built programs
	Data   string    // its data directory, kept between starts
	Config string    // configuration file; empty: --demo
	Args   []string  // further arguments
	Log    io.Writer // its standard error; nil: thrown away
}

// Process is a running workspaced.
type Process struct {
	URL   string        // base, such as http://127.0.0.1:41234
	Ready time.Duration // from exec to the line that says it listens

	cmd  *exec.Cmd
	done chan struct{} // closed when the process has been waited for
	err  error         // of Wait, valid after done
}

// Start runs BIN/workspaced on a free loopback port and returns once it says
// that it listens.
func Start(ctx context.Context, o Options) (*Process, error) {
	mode := []string{"--demo"}
	if o.Config != "" {
		mode = []string{"--config", o.Config}
	}
	args := append(mode, "--listen", "127.0.0.1:0", "--data", o.Data)
	cmd := exec.Command(filepath.Join(o.Bin, "workspaced"), append(args, o.Args...)...)
	cmd.Stderr = o.Log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start workspaced: %w", err)
	}
	lines := make(chan string, 1)
	go p.attend(out, lines)
	return p, p.await(ctx, begin, lines)
}

// attend passes on the first line, drains the rest and waits for the end.
func (p *Process) attend(out io.Reader, lines chan<- string) {
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err == nil {
		lines <- line
	}
	_, _ = io.Copy(io.Discard, r)
	p.err = p.cmd.Wait()
	close(p.done)
}

func (p *Process) await(ctx context.Context, begin time.Time, lines <-chan string) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	select {
	case line := <-lines:
		p.Ready = time.Since(begin)
		base, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
		if _, err := url.Parse(base); !ok || err != nil {
			p.Kill()
			return fmt.Errorf("workspaced says %q, want \"listening on http://HOST:PORT\"", line)
		}
		p.URL = base
		return nil
	case <-p.done:
		return fmt.Errorf("workspaced ended before it listened: %w", p.err)
	case <-ctx.Done():
		p.Kill()
		return fmt.Errorf("workspaced does not listen: %w", ctx.Err())
	}
}

// Addr returns HOST:PORT.
func (p *Process) Addr() string { return strings.TrimPrefix(p.URL, "http://") }

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the daemon as a power cut would, without a chance to say goodbye,
// and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Stop asks the daemon to end and waits. An exit status other than 0 is an error.
func (p *Process) Stop() error {
	err := p.cmd.Process.Signal(syscall.SIGTERM)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-time.After(startLimit):
		p.Kill()
		return errors.New("workspaced did not end after SIGTERM")
	}
}

// Ended is closed when the process is gone, whoever ended it.
func (p *Process) Ended() <-chan struct{} { return p.done }
