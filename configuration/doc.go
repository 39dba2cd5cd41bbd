// Package configuration owns the text of a configuration: one YAML document
// with everything that admins decide and nothing that happens by itself. It
// reads it strictly, with the place of every fault, and writes it so that equal
// configurations are equal bytes.
//
// It must not know: how records are kept, whether values make sense, who may
// apply a document. What a document says is only ever a proposal; broker/admin
// holds it against the same checks as any other change.
package configuration
