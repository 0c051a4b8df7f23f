package fetch

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Hidden stands where a secret was.
const Hidden = "[hidden]"

// minSecret is the shortest text taken for a secret: shorter ones would hide half of every sentence.
const minSecret = 4

// Redactor knows every secret of a run and takes them out of text.
type Redactor struct {
	mu      sync.RWMutex
	secrets []string // longest first, each in all its spellings
}

// NewRedactor makes a redactor that knows the secrets.
func NewRedactor(secrets ...string) *Redactor {
	r := &Redactor{}
	for _, s := range secrets {
		r.Add(s)
	}
	return r
}

// Add makes a secret known, also as it is spelled in addresses and in basic authentication.
func (r *Redactor) Add(secret string) {
	if len(secret) < minSecret {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret)),
		strings.TrimRight(base64.URLEncoding.EncodeToString([]byte(secret)), "="),
	} {
		if !slices.Contains(r.secrets, s) {
			r.secrets = append(r.secrets, s)
		}
	}
	slices.SortStableFunc(r.secrets, func(a, b string) int { return len(b) - len(a) })
}

// Secrets that we were not told of still have a form: tokens of the hub, authorization headers quoted by a server,
// signatures in addresses, passwords before an @.
var (
	tokenForm  = regexp.MustCompile(`\b(hf|api_org)_[A-Za-z0-9]{8,}`)
	headerForm = regexp.MustCompile(`(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}`)
	queryForm  = regexp.MustCompile(`(?i)([?&;](?:[a-z0-9-]*(?:signature|token|credential|key-pair-id|policy|secret|sig|key))=)[^&\s"'<>]+`)
	userForm   = regexp.MustCompile(`(//)[^/\s@"'<>]+@`)
)

// Clean is s without secrets.
func (r *Redactor) Clean(s string) string {
	r.mu.RLock()
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, Hidden)
	}
	r.mu.RUnlock()
	s = tokenForm.ReplaceAllString(s, Hidden)
	s = headerForm.ReplaceAllString(s, "$1 "+Hidden)
	s = queryForm.ReplaceAllString(s, "$1"+Hidden)
	return userForm.ReplaceAllString(s, "$1")
}

// Holds reports whether b contains a secret that we were told of.
func (r *Redactor) Holds(b []byte) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := string(b)
	return slices.ContainsFunc(r.secrets, func(secret string) bool { return strings.Contains(s, secret) })
}
