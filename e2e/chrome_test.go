package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chrome is one Chromium; its windows share nothing but the process.
type chrome struct {
	ctx context.Context
	axe string // the source of axe-core
}

func startChrome(t *testing.T) *chrome {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("chromium is missing: install it (Debian: apt-get install chromium); `make test` does it for you")
	}
	axe, err := os.ReadFile(filepath.Join("node", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal("axe-core is missing: run `npm ci` in e2e/node; `make test` does it for you")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-US"),
	)
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return &chrome{ctx: ctx, axe: string(axe)}
}

// look of a window.
type look struct {
	wide      bool // a laptop; else a phone, 390 points wide
	noScripts bool
}

// tab is a window of its own: no cookies of others.
type tab struct {
	t    *testing.T
	c    *chrome
	ctx  context.Context
	look look

	mu       sync.Mutex
	problems []string
	arrivals []arrival // of the main frame
}

type arrival struct {
	at  time.Time
	url string
}

// patience of a tab with a page; nothing of ours takes this long.
const patience = 20 * time.Second

func (c *chrome) tab(t *testing.T, l look) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(stop)
	w := &tab{t: t, c: c, ctx: ctx, look: l}
	if err := chromedp.Listen(ctx, w.heard); err != nil {
		t.Fatal(err)
	}
	width, height := int64(390), int64(760)
	if l.wide {
		width, height = 1280, 800
	}
	w.do(chromedp.EmulateViewport(width, height, chromedp.EmulateScale(1)))
	w.call(log.Enable)
	w.call(runtime.Enable)
	w.scripts(!l.noScripts)
	return w
}

// heard keeps what the browser complains about: violations of the content
// policy, script errors; not that a page came with status 400.
func (w *tab) heard(ev any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch e := ev.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source != "network" && (e.Entry.Level == "error" || e.Entry.Level == "warning") {
			w.problems = append(w.problems, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
		}
	case *runtime.EventExceptionThrown:
		w.problems = append(w.problems, "script: "+e.ExceptionDetails.Text)
	case *cdppage.EventFrameNavigated:
		if e.Frame.ParentID == "" {
			w.arrivals = append(w.arrivals, arrival{time.Now(), e.Frame.URL})
		}
	}
}

func (w *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		w.t.Fatalf("%v\n%s", err, w.where())
	}
}

func (w *tab) where() string {
	ctx, stop := context.WithTimeout(w.ctx, time.Second)
	defer stop()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

func (w *tab) open(address string) {
	w.t.Helper()
	w.do(chromedp.Navigate(address))
}

// at waits until the page has what a selector finds, however many redirects
// and pages lie between.
func (w *tab) at(selector string) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	there := fmt.Sprintf(`document.readyState === "complete" && document.querySelector(%q) !== null`, selector)
	for {
		// Errors are a page that is just leaving.
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](there)); err == nil && ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("the page never had %s:\n%s", selector, w.where())
		}
	}
}

// fill types into a field in place of what is there.
func (w *tab) fill(id, text string) {
	w.t.Helper()
	w.at("#" + id)
	w.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.getElementById(%q).focus(); document.getElementById(%q).select()`, id, id)))
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if _, err := chromedp.Call(ctx, input.InsertText, input.InsertTextParams{Text: text}); err != nil {
		w.t.Fatal(err)
	}
}

// press clicks and waits for what the next page has and this one has not.
func (w *tab) press(id, next string) {
	w.t.Helper()
	w.at("#" + id)
	w.do(chromedp.Click(chromedp.CSS("#" + id)))
	w.at(next)
}

func (w *tab) text(selector string) string {
	w.t.Helper()
	return w.eval(fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector))
}

func (w *tab) url() string {
	w.t.Helper()
	return w.eval(`location.href`)
}

func (w *tab) eval(expression string) string {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
	if err != nil {
		w.t.Fatalf("%s: %v", expression, err)
	}
	return text
}

// says demands words on the page.
func (w *tab) says(selector, words string) {
	w.t.Helper()
	if got := w.text(selector); !strings.Contains(got, words) {
		w.t.Errorf("%s says %q, want %q", selector, got, words)
	}
}

// arrivedAt is when the tab first came to an address with a prefix after a
// moment.
func (w *tab) arrivedAt(prefix string, after time.Time) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.arrivals {
		if a.at.After(after) && strings.HasPrefix(a.url, prefix) {
			return a.at, true
		}
	}
	return time.Time{}, false
}
