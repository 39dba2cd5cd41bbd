package e2e

import "syscall"

// dieWithUs ends a started process when the test process dies by whatever
// (a time-out panics without running any cleanup).
func dieWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
