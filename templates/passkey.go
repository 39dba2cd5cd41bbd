package templates

// Passkey is the form that asks the browser for a passkey. Its script posts
// ticket and answer; without script it stays hidden. Elements: form
// id="passkey", button id="use-passkey".
type Passkey struct {
	Action  string // where the answer is posted
	CSRF    string
	Options string  // JSON for the script
	Ticket  string  // comes back beside the answer
	Fields  []Field // carried along
	Create  bool    // a new one is made; else one is used
	Name    string  // of a new one, in the field; people may change it
}
