// Package templates draws every page people see: the sign-in pages of the
// broker and the pages of the admin console. Each page is one typed struct and
// one method on Templates that writes status, security headers and body.
//
// It owns the HTML, the style sheet, the scripts and the words. It imports
// nothing of ours and knows nothing of OAuth, stores or sessions: callers hand
// it values, it decides how they look. html/template is used here only.
//
// The invariant it guards (SECURITY-CASES V1): no value it is given can become
// markup, script, style, a CSP directive or a link with a foreign scheme, and
// no name can fill the page or reorder the text around it. Callers therefore
// pass upstream text as it came. Every page works without JavaScript.
package templates
