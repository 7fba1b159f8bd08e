package post

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// minSecret is the least length that is hidden: hiding every "1" would garble the text and guard nothing.
const minSecret = 4

// minPathSecret is the length from which a piece of a path is taken for a token, as in chat webhooks.
const minPathSecret = 16

// redactor hides secrets in texts that come from elsewhere: a library, or the sink's own answer.
type redactor struct {
	secrets  []string // the longest first, so that a part does not spoil the whole
	replacer *strings.Replacer
}

func newRedactor() *redactor { return &redactor{replacer: strings.NewReplacer()} }

func (r *redactor) add(secrets ...string) {
	for _, secret := range secrets {
		if len(secret) >= minSecret && !slices.Contains(r.secrets, secret) {
			r.secrets = append(r.secrets, secret)
		}
	}
	slices.SortStableFunc(r.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	var pairs []string
	for _, secret := range r.secrets {
		pairs = append(pairs, secret, "***")
	}
	r.replacer = strings.NewReplacer(pairs...)
}

// addURL hides the password, the query and the tokens in the path, as written and decoded.
func (r *redactor) addURL(u *url.URL) {
	if u.User != nil {
		password, _ := u.User.Password()
		r.addSpellings(password)
		_, escaped, _ := strings.Cut(u.User.String(), ":")
		r.add(escaped, u.User.String(), BasicAuth(u.User.Username(), password))
	}
	r.add(u.RawQuery)
	for _, values := range u.Query() {
		for _, value := range values {
			r.addSpellings(value)
		}
	}
	for _, piece := range strings.Split(u.EscapedPath(), "/") {
		if len(piece) < minPathSecret {
			continue
		}
		decoded, _ := url.PathUnescape(piece)
		r.add(piece, decoded)
	}
}

func (r *redactor) addSpellings(text string) {
	r.add(text, url.QueryEscape(text), url.PathEscape(text))
}

// BasicAuth returns the credentials as the Authorization header carries them.
func BasicAuth(user, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
}

func (r *redactor) hide(text string) string { return r.replacer.Replace(text) }
