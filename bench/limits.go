package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// limits are what no implementation can be faster than, here and now.
type limits struct{ sign, verify, fsync, fsyncCPU time.Duration }

func (l limits) login() time.Duration   { return 2*l.sign + l.verify }
func (l limits) refresh() time.Duration { return 2 * l.sign }

func measureLimits(dir string) (limits, error) {
	var l limits
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return l, err
	}
	sum := sha256.Sum256([]byte("limit"))
	sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
	if err != nil {
		return l, err
	}
	const n = 3000
	start := time.Now()
	for range n {
		if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
			return l, err
		}
	}
	l.sign = time.Since(start) / n
	start = time.Now()
	for range n {
		ecdsa.VerifyASN1(&key.PublicKey, sum[:], sig)
	}
	l.verify = time.Since(start) / n

	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return l, err
	}
	defer f.Close()
	page := make([]byte, 4096)
	const syncs = 200
	before, err := ownCPU()
	if err != nil {
		return l, err
	}
	start = time.Now()
	for i := range syncs {
		if _, err := f.WriteAt(page, int64(i%16)*4096); err != nil {
			return l, err
		}
		if err := f.Sync(); err != nil {
			return l, err
		}
	}
	l.fsync = time.Since(start) / syncs
	after, err := ownCPU()
	l.fsyncCPU = (after - before) / syncs
	return l, err
}

// ownCPU is what this process has spent so far, the kernel's part included.
func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), err
}
