package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/notify"
)

func TestConfigMail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		section string
		environ []string
		want    string // of one fault; "" for none
	}{
		"off":                   {"", nil, ""},
		"server":                {"{smtp: 'smtp.example.com:587', from: no-reply@example.com}", nil, ""},
		"name in the sender":    {`{smtp: 'smtp.example.com:587', from: 'Example sign-in <no-reply@example.com>'}`, nil, ""},
		"folder":                {"{directory: mail}", nil, ""},
		"password by variable":  {"{smtp: 'smtp.example.com:587', from: a@example.com, username: u}", []string{mailPasswordVariable + "=x"}, ""},
		"no password":           {"{smtp: 'smtp.example.com:587', from: a@example.com, username: u}", nil, "mail.password_file: it is missing beside username"},
		"no name":               {"{smtp: 'smtp.example.com:587', from: a@example.com, password_file: p}", nil, "mail.username: it is missing beside password_file"},
		"no sender":             {"{smtp: 'smtp.example.com:587'}", nil, "mail.from: it is missing"},
		"bad sender":            {"{smtp: 'smtp.example.com:587', from: nobody}", nil, "mail.from: it is not a sender"},
		"two senders":           {"{smtp: 'smtp.example.com:587', from: 'a@b.test, c@d.test'}", nil, "mail.from: it is not a sender"},
		"no port":               {"{smtp: smtp.example.com, from: a@example.com}", nil, "mail.smtp: \"smtp.example.com\" is not a mail server"},
		"in the clear":          {"{smtp: 'smtp.example.com:25', from: a@example.com, tls: none}", nil, "mail.tls: none would send mails"},
		"in the clear, here":    {"{smtp: '127.0.0.1:25', from: a@example.com, tls: none}", nil, ""},
		"unknown protection":    {"{smtp: 'smtp.example.com:25', from: a@example.com, tls: maybe}", nil, `mail.tls: "maybe" is not known`},
		"both":                  {"{smtp: 'smtp.example.com:25', from: a@example.com, directory: mail}", nil, "mail.directory: it excludes mail.smtp"},
		"sender without server": {"{from: a@example.com}", nil, "mail.from: it has no mail server to go with"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := smallest
			if c.section != "" {
				text += "mail: " + c.section + "\n"
			}
			got := faultsOf(t, writeConfig(t, text), c.environ...)
			if c.want == "" && len(got) > 0 || c.want != "" && !slices.ContainsFunc(got, func(f string) bool { return strings.Contains(f, c.want) }) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// TestMailTransport: what the configuration says becomes what sends, and faults
// stop the start.
func TestMailTransport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "empty"), []byte(" \n"), 0o600))
	from, err := notify.ParseSender("a@example.com")
	must(t, err)
	cfg := func(m mailConfig) *config { return &config{Mail: m, derived: derived{mail: mailSecrets{from: from}}} }
	if transport, _, err := mailTransport(cfg(mailConfig{})); transport != nil || err != nil {
		t.Errorf("off: got %v, %v", transport, err)
	}
	transport, via, err := mailTransport(cfg(mailConfig{Directory: filepath.Join(dir, "mail")}))
	if transport == nil || err != nil || !strings.Contains(via, "mail") {
		t.Errorf("folder: got %v, %q, %v", transport, via, err)
	}
	for want, m := range map[string]mailConfig{
		"mail.password_file: the file is empty":           {SMTP: "localhost:25", Username: "u", PasswordFile: filepath.Join(dir, "empty")},
		"mail.password_file: open":                        {SMTP: "localhost:25", Username: "u", PasswordFile: filepath.Join(dir, "none")},
		"mail.ca_file: there is no PEM certificate in it": {SMTP: "localhost:25", CAFile: filepath.Join(dir, "empty")},
		"only a mail server on this machine may be used":  {SMTP: "mail.example:25", TLS: notify.TLSNone},
	} {
		if _, _, err := mailTransport(cfg(m)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestMailThroughTheProgram: what is queued through the API of a running
// server leaves it within a few seconds.
func TestMailThroughTheProgram(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, state := startDev(t, dir)
	environ := []string{"GATEHOUSE_TOKEN=" + state.APIToken, "GATEHOUSE_ADMIN_URL=" + state.Admin}
	if !strings.Contains(p.stdout.String(), filepath.Join(state.Data, "mail")) {
		t.Error("the screen does not say where mails go")
	}
	var stdout, stderr syncBuffer
	if status := run(t.Context(), []string{"mail", "test", "--to", "anna@acme.test", "--language", "de"}, environ, &stdout, &stderr); status != 0 {
		t.Fatalf("exit status %d: %s", status, stderr.String())
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		found, err := filepath.Glob(filepath.Join(dir, "mail", "*-test-*.eml"))
		must(t, err)
		if len(found) == 1 {
			raw, err := os.ReadFile(found[0])
			must(t, err)
			if !strings.Contains(string(raw), "To: <anna@acme.test>") {
				t.Errorf("got %s", raw)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no mail was written: %v\n%s", found, p.stderr)
		}
		time.Sleep(20 * time.Millisecond)
	}
	_, metrics, _ := get(t, state.Admin+"/metrics")
	if !strings.Contains(metrics, `gatehouse_mails_total{kind="test",result="sent"} 1`) {
		t.Error("the metrics do not count it")
	}
}
