package federation

import (
	"testing"

	"go.uber.org/goleak"
)

// FT11: when all tests are over, every goroutine and connection of every slow,
// hanging and broken provider is gone.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
