package profile

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func refuseEmails(t *testing.T, inputs []string) {
	t.Helper()
	for _, in := range inputs {
		got, err := ParseEmail(in)
		if !errors.Is(err, ErrEmail) {
			t.Errorf("ParseEmail(%q) = %q, %v; want a refusal", in, got, err)
			continue
		}
		if text := err.Error(); !strings.HasPrefix(text, "This is not an e-mail") || !strings.HasSuffix(text, ".") {
			t.Errorf("ParseEmail(%q): %q is not a sentence for people", in, text)
		}
		if got != (Email{}) {
			t.Errorf("ParseEmail(%q) returned %q beside its error", in, got)
		}
	}
}

func TestE1_SeveralReadings(t *testing.T) {
	t.Parallel()
	refuseEmails(t, []string{
		`a@evil.com@corp.com`, `"a@corp.com"@evil.com`, `a@corp.com,b@evil.com`, `a@corp.com;b@evil.com`,
		`a@corp.com (x)`, `(x)a@corp.com`, `Bob <a@corp.com>`, `<a@corp.com>`, ` a@corp.com`, `a@corp.com `,
		"a@corp.com\n", `a @corp.com`, `a@ corp.com`, `"a b"@corp.com`, `"a"@corp.com`, `a\@b@corp.com`,
		`mailto:a@corp.com`, `@corp.com`, `a@`, `@`, ``, `a`, `corp.com`, `@b:a@corp.com`, `a@@corp.com`,
	})
}

func TestE2_HiddenAndRoutedText(t *testing.T) {
	t.Parallel()
	refuseEmails(t, []string{
		"a\x00@corp.com", "a@corp\x00.com", "a\r\nb@corp.com", "a@corp.com\r\nBcc: x@y.com", "a\tb@corp.com", "a@corp.com\t",
		"a\u200b@corp.com", "a@co\u200brp.com", "a@corp.com\u200b", "a\u202e@corp.com", "a@\u202ecorp.com", "a@\u200ecorp.com", "a@corp\u00ad.com",
		"a%00@corp.com", "a@corp%00.com", "a%evil.com@corp.com", "evil.com!a@corp.com",
		"=?utf-8?q?a=40corp.com?=@evil.com", "=?utf-8?q?a?=@corp.com", "=?a@corp.com", "a?=@corp.com",
		strings.Repeat("a", 65) + "@corp.com",
		"a@" + strings.Repeat(strings.Repeat("b", 60)+".", 4) + "cccccccccc.com",
		strings.Repeat("a", 64) + "@" + strings.Repeat(strings.Repeat("b", 60)+".", 3) + "ccc.com",
		".a@corp.com", "a.@corp.com", "a..b@corp.com", "ä@corp.com", "a\xff@corp.com", "a@corp\xff.com",
		"a@" + strings.Repeat("x", 1<<20),
	})
}

func TestE2_LongestAddress(t *testing.T) {
	t.Parallel()
	domain := strings.Repeat(strings.Repeat("b", 60)+".", 3) + "ccc.de" // 189
	local := strings.Repeat("a", 64)
	in := local + "@" + domain[len(domain)-189:]
	if len(in) != 254 {
		t.Fatalf("the test's address has %d characters", len(in))
	}
	if _, err := ParseEmail(in); err != nil {
		t.Errorf("254 characters: %v", err)
	}
}

func TestE3_OneCanonicalForm(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a@CORP.COM":                  "a@corp.com",
		"a@Corp.Com":                  "a@corp.com",
		"A.b@corp.com":                "A.b@corp.com",
		"a@bücher.de":                 "a@xn--bcher-kva.de",
		"a@xn--bcher-kva.de":          "a@xn--bcher-kva.de",
		"a@XN--BCHER-KVA.DE":          "a@xn--bcher-kva.de",
		"a@straße.de":                 "a@xn--strae-oqa.de",
		"a@日本.jp":                     "a@xn--wgv71a.jp",
		"o'brien+x@a-b.corp.co.uk":    "o'brien+x@a-b.corp.co.uk",
		"a@1.corp.com":                "a@1.corp.com",
		"a@xn--80ak6aa92e.com":        "a@xn--80ak6aa92e.com",
		"first.last@sub.example.test": "first.last@sub.example.test",
	} {
		got, err := ParseEmail(in)
		if err != nil || got.String() != want {
			t.Errorf("ParseEmail(%q) = %q, %v; want %q", in, got, err, want)
			continue
		}
		again, err := ParseEmail(got.String())
		if err != nil || again != got {
			t.Errorf("%q is not canonical: %q, %v", got, again, err)
		}
	}
	refuseEmails(t, []string{"a@corp.com.", "a@.corp.com", "a@corp..com", "a@corp", "a@localhost", "a@com."})
}

func TestE4_LookAlikeDomains(t *testing.T) {
	t.Parallel()
	refuseEmails(t, []string{
		"a@ｃorp.com", "a@corp。com", "a@corp．com", "a@corp｡com", "a@corp.ⅽom", "a@ſchule.de", "a@\u212Aorp.com", "a@İ.com", "a@BÜCHER.de",
		"a@ｂücher.de", "a@bücher。de", "a@co\u0301rp.com", "a@b\u0075\u0308cher.de", "a@corp.com\ufe0f", "a@①.com", "a@ﬁ.com",
	})
}

func TestE5_PunycodeThatIsASCII(t *testing.T) {
	t.Parallel()
	refuseEmails(t, []string{
		"a@xn--corp-.com", "a@xn--corp.com", "a@xn--.com", "a@xn--a.com-", "a@xn---.com", "a@XN--CORP-.com",
		"a@xn--bcher-kva-.de", "a@xn--bcher-kva.xn--com-", "a@xn--ls8h.la\x00", "a@xn--xn---epa.de", "a@ab--cd.de",
		"a@xn--a.com", "a@xn--ksa.com", // decode to what no label may hold, and encode to themselves
		"a@xn--BCHER-KVAü.de", "a@xn--0000h.com\u3002",
	})
}

// What x/net/idna answered without an error before CVE-2026-39821, and may
// answer again with other Unicode tables.
func TestE5_RoundTripDoesNotRelyOnIDNAErrors(t *testing.T) {
	t.Parallel()
	for labels, want := range map[[3]string]bool{
		{"xn--corp-.com", "corp.com", "corp.com"}:                        false,
		{"ｃorp.com", "corp.com", "corp.com"}:                             false,
		{"corp。evil.com", "corp.evil.com", "corp.evil.com"}:              false,
		{"xn--bcher-kva.com", "xn--bcher-kva.com", "bücher.com"}:         true,
		{"bücher.com", "xn--bcher-kva.com", "bücher.com"}:                true,
		{"mail.xn--bcher-kva.com", "mail.xn--bcher-kva.com", "mail.büc"}: false,
	} {
		if got := roundTrip(strings.Split(labels[0], "."), strings.Split(labels[1], "."), strings.Split(labels[2], ".")); got != want {
			t.Errorf("%q: %v", labels, got)
		}
	}
}

// RFC 5893: in a name with a right-to-left label, every label obeys.
func TestE4_RightToLeft(t *testing.T) {
	t.Parallel()
	if got, err := ParseDomain("mail.אב.test"); err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	refuseEmails(t, []string{"a@1.אב.test", "a@1.xn--4dbc.test", "a@אב.1a.test", "a@3com.xn--4dbc", "a@אa.test", "a@אב1a.test"})
}

func TestE5_NetworkAddresses(t *testing.T) {
	t.Parallel()
	refuseEmails(t, []string{
		"a@[127.0.0.1]", "a@127.0.0.1", "a@[IPv6:::1]", "a@2130706433", "a@corp.0x7f", "a@a.1", "a@corp.com:25", "a@corp_x.com",
		"a@-corp.com", "a@corp-.com", "a@*.corp.com", "a@corp.com/x", "a@corp.com#", "a@corp.com?x",
	})
}

func TestE8_TagsAndDotsAreNotFolded(t *testing.T) {
	t.Parallel()
	a, _ := ParseEmail("us.er+tag@corp.com")
	b, _ := ParseEmail("user@corp.com")
	c, _ := ParseEmail("US.ER+tag@corp.com")
	if a == b || a.Key() == b.Key() || a.String() != "us.er+tag@corp.com" {
		t.Errorf("folded: %q %q", a, b)
	}
	if a == c || a.Key() != c.Key() {
		t.Errorf("case of the local part: == %v, Key %q %q", a == c, a.Key(), c.Key())
	}
}

func TestParseDomain(t *testing.T) {
	t.Parallel()
	if got, err := ParseDomain("EU.Acme.TEST"); got != "eu.acme.test" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, in := range []string{"*", "*.acme.test", "acme.test.", "", ".", "acme", "a@acme.test", "acme.test/x"} {
		if got, err := ParseDomain(in); !errors.Is(err, ErrEmail) {
			t.Errorf("ParseDomain(%q) = %q, %v; want a refusal", in, got, err)
		}
	}
}

func TestEmailText(t *testing.T) {
	t.Parallel()
	var box struct{ A, B Email }
	if err := json.Unmarshal([]byte(`{"A":"x@CORP.com","B":""}`), &box); err != nil {
		t.Fatal(err)
	}
	out, _ := json.Marshal(box)
	if string(out) != `{"A":"x@corp.com","B":""}` || !box.B.IsZero() || box.A.Local() != "x" || box.A.Domain() != "corp.com" {
		t.Errorf("got %s", out)
	}
	if err := json.Unmarshal([]byte(`{"A":"x@corp.com."}`), &box); !errors.Is(err, ErrEmail) {
		t.Errorf("error = %v", err)
	}
}

func FuzzParseEmail(f *testing.F) {
	for _, s := range []string{"a@corp.com", "a@bücher.de", "a@xn--corp-.com", "a@ｃorp.com", `"a@b"@c.d`, "a@b@c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEmail(s)
		if err != nil {
			return
		}
		text := e.String()
		for i := range len(text) {
			if text[i] <= ' ' || text[i] >= 0x7f {
				t.Fatalf("%q: canonical form %q has odd characters", s, text)
			}
		}
		if strings.Count(s, "@") != 1 || strings.Count(text, "@") != 1 || len(text) > 254 {
			t.Fatalf("%q read as %q", s, text)
		}
		if !strings.HasPrefix(s, e.Local()+"@") {
			t.Fatalf("%q: local part became %q", s, e.Local())
		}
		if again, err := ParseEmail(text); err != nil || again != e {
			t.Fatalf("%q: canonical %q reads as %q, %v", s, text, again, err)
		}
	})
}

func FuzzParseDomain(f *testing.F) {
	for _, s := range []string{"corp.com", "bücher.de", "xn--corp-.com", "xn--bcher-kva.de", "corp。com", "a.1", "ſ.de"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDomain(s)
		if err != nil {
			return
		}
		if again, err := ParseDomain(d); err != nil || again != d {
			t.Fatalf("%q: canonical %q reads as %q, %v", s, d, again, err)
		}
		// A plain ASCII domain is only ever reached from itself.
		if !strings.Contains(d, "xn--") && !strings.EqualFold(s, d) {
			t.Fatalf("%q was mapped to %q", s, d)
		}
		if strings.Count(d, ".") != strings.Count(s, ".") {
			t.Fatalf("%q: dots appeared in %q", s, d)
		}
	})
}
