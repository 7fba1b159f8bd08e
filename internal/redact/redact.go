// Package redact keeps secrets out of what people read: descriptions, errors, logs, tables.
package redact

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"catpaw/internal/pattern"
)

// minSecret is the least length that is hidden: hiding every "1" would garble the text and guard nothing.
const minSecret = 4

// isToken reports whether a piece of a path is taken for a secret, as in chat webhooks: a long one, or one that is
// no plain word.
func isToken(piece string) bool {
	const long, short = 16, 8
	return len(piece) >= long || len(piece) >= short && strings.ContainsFunc(piece, func(r rune) bool { return r < 'a' || r > 'z' })
}

const hidden = "***"

// Redactor hides known secrets in texts that come from elsewhere: a library, or a server that repeats
// what it was sent. The zero value hides nothing. Add everything first; then Hide is safe for concurrent
// use.
type Redactor struct {
	secrets  []string // the longest first, so that a part does not spoil the whole
	replacer *strings.Replacer
}

// Add hides the secrets, as they are written.
func (r *Redactor) Add(secrets ...string) {
	for _, secret := range secrets {
		if len(secret) >= minSecret && !slices.Contains(r.secrets, secret) {
			r.secrets = append(r.secrets, secret)
		}
	}
	slices.SortStableFunc(r.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, secret := range r.secrets {
		pairs = append(pairs, secret, hidden)
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// AddLogin hides a password, also as URLs and the Authorization header spell it.
func (r *Redactor) AddLogin(user, password string) {
	if password == "" {
		return
	}
	r.addSpellings(password)
	_, escaped, _ := strings.Cut(url.UserPassword(user, password).String(), ":")
	r.Add(escaped, BasicAuth(user, password))
}

// AddUser hides the password of a URL. A nil URL has none.
func (r *Redactor) AddUser(u *url.URL) {
	if u != nil && u.User != nil {
		password, _ := u.User.Password()
		r.AddLogin(u.User.Username(), password)
	}
}

// AddURL hides the password, the query and the tokens in the path, as written and decoded.
func (r *Redactor) AddURL(u *url.URL) {
	r.AddUser(u)
	r.Add(u.RawQuery)
	for _, values := range u.Query() {
		for _, value := range values {
			r.addSpellings(value)
		}
	}
	for _, piece := range strings.Split(u.EscapedPath(), "/") {
		if !isToken(piece) {
			continue
		}
		decoded, _ := url.PathUnescape(piece)
		r.Add(piece, decoded)
	}
}

func (r *Redactor) addSpellings(text string) {
	r.Add(text, url.QueryEscape(text), url.PathEscape(text))
}

// Hide replaces every secret by stars.
func (r *Redactor) Hide(text string) string {
	if r.replacer == nil {
		return text
	}
	return r.replacer.Replace(text)
}

// BasicAuth returns the credentials as the Authorization header carries them.
func BasicAuth(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

// login is the part of a URL that holds a password. A host cannot hold "/" or a blank, so the last "@"
// before one ends it.
var login = pattern.Lazy(`(://[^\s:/@]*:)[^\s/]*@`)

// Logins replaces the passwords of all URLs in a text by stars. Labels keep them, since alert keys are
// made of labels; people need not see them.
func Logins(text string) string {
	if !strings.Contains(text, "@") {
		return text
	}
	return login().ReplaceAllString(text, "${1}"+hidden+"@")
}
