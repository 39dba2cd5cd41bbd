package notify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// NewDirectory makes a Transport that writes mails as files into a folder
// instead of sending them: for development, and for tests that read them.
func NewDirectory(path string, from Sender) (Transport, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("notify: mail folder: %w", err)
	}
	return &directory{path, from}, nil
}

type directory struct {
	path string
	from Sender
}

// Send implements Transport. A mail holds links that sign in, so its file is
// for the owner only; it is whole when it has its name.
func (d *directory) Send(_ context.Context, m Message) (err error) {
	msg, err := compose(d.from, m)
	if err != nil {
		return &SendError{Permanent: true, Err: err}
	}
	f, err := os.CreateTemp(d.path, ".mail-*") // 0600
	if err != nil {
		return &SendError{Unreachable: true, Err: err}
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = &SendError{Unreachable: true, Err: err}
		}
	}()
	_, err = msg.WriteTo(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	name := m.At.UTC().Format("20060102T150405.000") + "-" + m.Kind + "-" + m.ID + ".eml"
	return os.Rename(f.Name(), filepath.Join(d.path, filepath.Base(name)))
}
