package federation

import (
	"testing"

	"gatehouse/profile"
)

// An address from one document and its verification from another say nothing of
// each other: a person may edit the one and own the other. CheckConnection
// refuses such a record; a stored one is not believed.
func TestN_VerificationOfAnotherDocumentIsNone(t *testing.T) {
	t.Parallel()
	docs := profile.Documents{
		IDToken: []byte(`{"sub":"s","email":"own@acme.test","email_verified":true}`),
		Profile: []byte(`{"sub":"s","email":"victim@acme.test"}`),
	}
	sel := profile.DefaultSelectors()
	sel.Email.Source = profile.FromProfile
	for source, want := range map[profile.Source]profile.Tristate{"": profile.Absent, profile.FromIDToken: profile.Absent, profile.FromProfile: profile.Absent} {
		sel.EmailVerified.Source = source
		s, err := compileSelection(sel)
		if err != nil {
			t.Fatal(err)
		}
		var id VerifiedIdentity
		if err := s.read(docs, &id); err != nil {
			t.Fatal(err)
		}
		if id.email != address(t, "victim@acme.test") || id.emailVerified != want {
			t.Errorf("source %q: %s verified %s, want %s", source, id.email, id.emailVerified, want)
		}
	}
	sel = profile.DefaultSelectors()
	s, err := compileSelection(sel)
	if err != nil {
		t.Fatal(err)
	}
	var id VerifiedIdentity
	if err := s.read(docs, &id); err != nil || id.email != address(t, "own@acme.test") || id.emailVerified != profile.True {
		t.Errorf("both from the ID token: %s verified %s, %v", id.email, id.emailVerified, err)
	}
}
