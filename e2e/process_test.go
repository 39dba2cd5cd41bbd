package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// binary is where TestMain built the program.
var binary string

// build compiles the program, with the race detector when the tests have it.
func build(dir string) (string, error) {
	out := filepath.Join(dir, "gatehouse")
	args := []string{"build", "-o", out}
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "../cmd/gatehouse")...)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w\n%s", err, text)
	}
	return out, nil
}

// output collects what a process prints and lets others wait for a line.
type output struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	wanted string
	seen   chan struct{}
}

func newOutput(wanted string) *output { return &output{wanted: wanted, seen: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	if o.wanted != "" && strings.Contains("\n"+o.buf.String(), "\n"+o.wanted) {
		o.wanted = ""
		close(o.seen)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// process is a running program of ours.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdout *output
	stderr *output
	done   chan struct{}
	err    error // of Wait, after done
}

// startTimeout is generous: a race build on a loaded machine starts slowly.
const startTimeout = 60 * time.Second

// start runs the program until it has printed a line that begins with wanted.
func start(name string, environ []string, wanted string, args ...string) (*process, error) {
	p := &process{name: name, stdout: newOutput(wanted), stderr: newOutput(""), done: make(chan struct{})}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	p.cmd.SysProcAttr = dieWithUs()
	// Nothing of the developer's own GATEHOUSE_* may leak in.
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "GATEHOUSE_") {
			p.cmd.Env = append(p.cmd.Env, kv)
		}
	}
	p.cmd.Env = append(p.cmd.Env, environ...)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	select {
	case <-p.stdout.seen:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("%s ended at once: %w\n%s%s", name, p.err, p.stdout, p.stderr)
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("%s did not print %q in %s\n%s%s", name, wanted, startTimeout, p.stdout, p.stderr), p.kill())
	}
}

// stop asks the process to end, as Ctrl-C does, and says what was wrong with it:
// an exit status, a data race, a panic, or that it does not end.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	select {
	case <-p.done:
	case <-ctx.Done():
		return errors.Join(fmt.Errorf("%s does not stop", p.name), p.kill())
	}
	var errs []error
	if p.err != nil {
		errs = append(errs, fmt.Errorf("%s ended with %w\n%s", p.name, p.err, p.stderr))
	}
	for _, bad := range []string{"WARNING: DATA RACE", "panic:", "handler panicked"} {
		if strings.Contains(p.stderr.String(), bad) {
			errs = append(errs, fmt.Errorf("%s printed %q:\n%s", p.name, bad, p.stderr))
			break
		}
	}
	return errors.Join(errs...)
}

func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	<-p.done
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}
