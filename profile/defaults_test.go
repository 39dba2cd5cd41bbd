package profile

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"testing"
)

// The claims of OpenID Connect Core §5.1 that userinfo answers with from
// custom attributes.
func TestDefaultSelectorsPassStandardClaims(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, DefaultSelectors())
	doc := json.RawMessage(`{"sub":"248289761001","name":"Jane Doe","given_name":"Jane","family_name":"Doe","middle_name":"Quinn","nickname":"JD",
		"preferred_username":"j.doe","profile":"https://acme.test/~jane","picture":"https://acme.test/~jane/me.jpg","website":"https://jane.test/",
		"email":"jane@acme.test","email_verified":true,"gender":"female","birthdate":"0000-10-31","zoneinfo":"Europe/Berlin","locale":"de-DE",
		"phone_number":"+1 555 0100","phone_number_verified":true}`)
	want := Attributes{
		FederationID: "248289761001", FirstName: "Jane", LastName: "Doe", DisplayName: "Jane Doe", Email: "jane@acme.test",
		Phone: "+1 555 0100", Picture: "https://acme.test/~jane/me.jpg",
		Custom: map[string][]string{
			"middle_name": {"Quinn"}, "nickname": {"JD"}, "preferred_username": {"j.doe"}, "profile": {"https://acme.test/~jane"},
			"website": {"https://jane.test/"}, "gender": {"female"}, "birthdate": {"0000-10-31"}, "zoneinfo": {"Europe/Berlin"}, "locale": {"de-DE"},
			"phone_number_verified": {"true"},
		},
	}
	got, res, err := c.Select(Documents{IDToken: doc})
	if err != nil || !reflect.DeepEqual(got, want) || res.EmailVerified != True || len(res.Misses)+len(res.Warnings) != 0 || len(res.Hits) != 18 {
		t.Errorf("got %+v\n%+v, %v", got, res, err)
	}
	// The same claims from userinfo, as the conformance suite's providers do.
	got, _, err = c.Select(Documents{IDToken: json.RawMessage(`{"sub":"248289761001"}`), Profile: doc})
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("from the profile: got %+v, %v", got, err)
	}
	// Most providers send none of them: no miss each.
	got, res, err = c.Select(Documents{IDToken: json.RawMessage(`{"sub":"x","locale":null,"nickname":""}`)})
	if err != nil || got.Custom != nil || slices.ContainsFunc(res.Misses, func(m Miss) bool { return m.Attribute[:2] == "cu" }) {
		t.Errorf("got %v, misses %v, %v", slices.Collect(maps.Keys(got.Custom)), res.Misses, err)
	}
	// One that is there and not usable is reported.
	_, res, err = c.Select(Documents{IDToken: json.RawMessage(`{"sub":"x","locale":{}}`)})
	if err != nil || !slices.ContainsFunc(res.Misses, func(m Miss) bool { return m.Attribute == "custom.locale" }) {
		t.Errorf("misses %v, %v", res.Misses, err)
	}
}

func TestU3_PhoneAndProofFromOneDocument(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, DefaultSelectors())
	for name, tc := range map[string]struct {
		id, profile string
		want        []string
	}{
		"true":            {`{"sub":"x","phone_number":"1","phone_number_verified":true}`, `{}`, []string{"true"}},
		"false":           {`{"sub":"x","phone_number":"1","phone_number_verified":false}`, `{}`, []string{"false"}},
		"text":            {`{"sub":"x","phone_number":"1","phone_number_verified":"true"}`, `{}`, nil},
		"number":          {`{"sub":"x","phone_number":"1","phone_number_verified":1}`, `{}`, nil},
		"proof elsewhere": {`{"sub":"x","phone_number_verified":true}`, `{"phone_number":"1"}`, nil},
		"number signed":   {`{"sub":"x","phone_number":"1"}`, `{"phone_number":"2","phone_number_verified":true}`, nil},
		"both in profile": {`{"sub":"x"}`, `{"phone_number":"1","phone_number_verified":true}`, []string{"true"}},
		"proof of none":   {`{"sub":"x","phone_number_verified":true}`, `{}`, nil},
	} {
		got, _, err := c.Select(Documents{IDToken: json.RawMessage(tc.id), Profile: json.RawMessage(tc.profile)})
		if err != nil || !slices.Equal(got.Custom["phone_number_verified"], tc.want) {
			t.Errorf("%s: got %v, %v; want %v", name, got.Custom["phone_number_verified"], err, tc.want)
		}
	}
}
