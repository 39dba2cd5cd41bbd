package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// violation is what axe-core finds wrong.
type violation struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML           string `json:"html"`
		FailureSummary string `json:"failureSummary"`
	} `json:"nodes"`
}

// What axe-core is asked: everything WCAG 2.2 AA wants and its best practices;
// in dark only what differs there.
const (
	axeAll = `{runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}, resultTypes: ["violations"]}`
	axeSee = `{runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}, resultTypes: ["violations"]}`
)

// violations are what axe-core finds on the page as it is.
func (w *tab) violations(ask string) []violation {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if err := chromedp.Do(ctx, chromedp.Evaluate[chromedp.Void](w.c.axe)); err != nil {
		w.t.Fatalf("axe-core: %v", err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]violation](
		`axe.run(document, `+ask+`).then((r) => r.violations)`, chromedp.EvalAwaitPromise))
	if err != nil {
		w.t.Fatalf("axe-core: %v\n%s", err, w.where())
	}
	return found
}

// good checks a page as a person with any eyes sees it: axe-core in light and
// in dark finds nothing, nothing hangs over the side of the window, and the
// browser has nothing to complain about. With -pictures it takes one.
func (w *tab) good(name string) {
	w.t.Helper()
	w.scripts(true) // axe-core is one; the page's own do not start by this
	for _, s := range [][2]string{{"dark", axeSee}, {"light", axeAll}} {
		w.scheme(s[0])
		for _, v := range w.violations(s[1]) {
			for _, n := range v.Nodes {
				w.t.Errorf("%s, %s: %s (%s)\n\t%s\n\t%s", name, s[0], v.Help, v.ID, n.HTML, n.FailureSummary)
			}
		}
		if name == "email" && s[0] == "dark" {
			w.picture("email-dark")
		}
	}
	if over := w.eval(`String(document.documentElement.scrollWidth - innerWidth)`); over != "0" && !strings.HasPrefix(over, "-") {
		w.t.Errorf("%s: hangs %s pixels over the side", name, over)
	}
	w.picture(name)
	w.scripts(!w.look.noScripts)
	w.complaints(name)
}

func (w *tab) scripts(on bool) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *tab) scheme(scheme string) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// complaints fails the test with what the browser complained about since.
func (w *tab) complaints(name string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.problems {
		w.t.Errorf("%s: the browser says: %s", name, p)
	}
	w.problems = nil
}

// shown are the pages whose pictures README and docs show.
const shown = " demo-start email email-dark mock-login demo-tokens waiting queue refused chooser consent unknown-domain error setup console-overview " +
	"console-account totp-new recovery-codes local-sign-in presets connection connection-faults connection-json-fault test-start test-identity test-end routing traces trace " +
	"mail-request waiting-question request-answered decided-twice invitation welcome "

// picture keeps what the window shows for README and docs, when asked to.
func (w *tab) picture(name string) {
	w.t.Helper()
	if !*pictures || !strings.Contains(shown, " "+name+" ") {
		return
	}
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		w.t.Fatal(err)
	}
	dir := filepath.Join("..", "docs", "pictures")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		w.t.Fatal(err)
	}
	most := 64 << 10
	if w.look.wide {
		most *= 2
	}
	if len(png) > most {
		w.t.Errorf("the picture %s has %d KiB", name, len(png)>>10)
	}
}

// call runs a command without parameters.
func (w *tab) call(cmd cdp.Command[cdp.Empty, cdp.Empty]) {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if _, err := chromedp.Call(ctx, cmd, cdp.Empty{}); err != nil {
		w.t.Fatal(err)
	}
}
