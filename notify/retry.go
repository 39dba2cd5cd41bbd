package notify

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// mailLife is how long a mail is tried, if nothing else ends it before.
	mailLife = 3 * 24 * time.Hour
	// deliveryLife is how long a delivery is kept, as log and for sending it again.
	deliveryLife = 7 * 24 * time.Hour
	// Leases: for so long nobody else tries what somebody is trying.
	mailLease     = 3 * time.Minute
	deliveryLease = time.Minute
	// mailRest is the pause after a mail server that could not be spoken to.
	mailRest = 20 * time.Second
	// mostRetryAfter bounds what a receiver asks for.
	mostRetryAfter = 12 * time.Hour
)

// mailPause is how long to wait after the nth try of a mail.
func mailPause(n int) time.Duration {
	pauses := []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 4 * time.Hour}
	return pauses[min(max(n, 1), len(pauses))-1]
}

// deliveryPause is how long to wait after the nth try of a delivery; ok is
// false when that was the last. In all it is about a day.
func deliveryPause(n int) (pause time.Duration, ok bool) {
	pauses := []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	}
	if n > len(pauses) {
		return 0, false
	}
	return pauses[max(n, 1)-1], true
}

// retryAfter reads the header of that name (RFC 9110 section 10.2.3): seconds
// or a date. Zero when it says nothing we can use.
func retryAfter(header http.Header, now time.Time) time.Duration {
	values := header.Values("Retry-After")
	if len(values) != 1 || len(values[0]) > 64 {
		return 0
	}
	value := strings.TrimSpace(values[0])
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), mostRetryAfter)
}
