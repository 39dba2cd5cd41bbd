package templates

// App is what a page says about the app the person came from. The zero value
// is fine: the page then speaks of "the app".
type App struct {
	Name string
	// Shown only when they are https URLs; anything else is left out.
	LogoURL, PolicyURL, TermsURL string
}

// Field is one hidden form field.
type Field struct{ Name, Value string }

// FormAction, on the pages that have it, lists where the answer to the page's
// POST may send the browser: whole URLs or schemes ("com.example.app:"). They
// end up, reduced to origins and schemes, in the CSP. Leave it empty unless
// *every* hop is known: Chromium blocks any redirect that is not listed.
type FormAction []string
