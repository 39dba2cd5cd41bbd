package bolt

import "runtime"

// WaitForQueue returns when n updates wait for the writer.
func (e *Engine) WaitForQueue(n int) {
	for {
		e.mu.Lock()
		have := len(e.pending)
		e.mu.Unlock()
		if have >= n {
			return
		}
		runtime.Gosched()
	}
}

// ExamineBytes is examine for fuzzing.
func ExamineBytes(data []byte) error {
	_, err := examineBytes(data)
	return err
}
