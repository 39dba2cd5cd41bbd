package local

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Length of a password. The upper bound, in bytes, keeps hashing cheap to refuse.
const (
	MinPassword = 12 // characters
	MaxPassword = 256
)

// PasswordFault says what is wrong with a new password of the account login,
// as the end of a sentence ("must have …"); "" when nothing is. The rule is
// NIST SP 800-63B's: length and what everybody tries first, no classes of
// characters.
func PasswordFault(password, login string) string {
	folded := strings.ToLower(password)
	name, _, _ := strings.Cut(strings.ToLower(login), "@")
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return "must have at least 12 characters"
	case len(password) > MaxPassword:
		return "must have at most 256 bytes"
	case login != "" && folded == strings.ToLower(login):
		return "must not be your address"
	case len(name) >= 4 && strings.Trim(strings.ReplaceAll(folded, name, ""), "0123456789!.-_") == "":
		return "must not be made of your address"
	case common(folded), repeats(folded), slides(folded):
		return "is too easy to guess: it is common, repeated, or one row of keys or digits"
	}
	return ""
}

// common reports what lists of leaked passwords have at this length: a common
// word or row of keys, with digits and signs around it.
func common(folded string) bool {
	word := strings.Trim(folded, "0123456789!@#$%&*.-_+=? ")
	word = strings.NewReplacer("0", "o", "1", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s").Replace(word)
	return slices.Contains(commonWords(), word)
}

func commonWords() []string {
	return []string{
		"password", "passwort", "passwords", "passwordpassword", "mypassword", "thispassword", "newpassword", "changeme", "letmein", "letmeinnow",
		"welcome", "willkommen", "welcometo", "qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "asdfghjkl", "qwertyuiopasdf", "qwertyuiopasdfghjkl", "qazwsxedcrfv",
		"qweasdzxc", "zaqwsxcde", "iloveyou", "iloveyouforever", "administrator", "administration", "admin", "adminadmin", "trustnoone", "trustno",
		"sunshine", "princess", "football", "baseball", "superman", "batman", "michael", "jennifer", "dragon", "monkey", "shadow", "master", "computer",
		"internet", "secret", "topsecret", "geheim", "sommer", "winter", "summer", "frankfurt", "liverpool", "manchester", "chelsea", "arsenal", "starwars", "pokemon",
		"whatever", "corporate", "company", "gatehouse", "correcthorsebatterystaple", "correct horse battery staple", "abcdefghijkl", "abcdefghijklm", "abc", "",
	}
}

// repeats reports one to four characters over and over.
func repeats(s string) bool {
	for n := 1; n <= 4; n++ {
		if len(s) > 2*n && strings.Repeat(s[:n], len(s)/n+1)[:len(s)] == s {
			return true
		}
	}
	return false
}

// slides reports characters that each follow the one before, as in 123456789012.
func slides(s string) bool {
	steps := 0
	for i := 1; i < len(s); i++ {
		if d := int(s[i]) - int(s[i-1]); d == 1 || d == -1 || d == -9 || d == 9 {
			steps++
		}
	}
	return steps >= len(s)-2
}
