package model

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"unicode"

	"github.com/llmcheck/llmcheck/internal/filename"
)

// Scheme is the kind of place a model comes from.
type Scheme string

// The schemes of references.
const (
	SchemeDir     Scheme = "dir"     // a folder, also a snapshot in a Hugging Face cache
	SchemeFile    Scheme = "file"    // one file: a license text, a GGUF, a config.json
	SchemePath    Scheme = "path"    // a folder or a file: the disk tells
	SchemeHub     Scheme = "hf"      // org/name on a Hugging Face hub
	SchemeURL     Scheme = "url"     // a GGUF at an https address
	SchemeOllama  Scheme = "ollama"  // name:tag in the Ollama registry
	SchemeOCI     Scheme = "oci"     // registry/repository:tag
	SchemeLicense Scheme = "license" // a license alone: a catalog id or an SPDX expression
)

// Ref names a model or a license.
type Ref struct {
	Scheme   Scheme
	Name     string // path, org/name, address, registry/repository, license id
	Revision string // branch, tag, commit or digest; "" is the default of the origin
	File     string // one file of the repository, for example a GGUF; "" is all
}

// String writes the reference in the form that ParseRef reads back: the short form where that is clear, else with the
// prefix of its scheme.
func (r Ref) String() string {
	switch r.Scheme {
	case SchemeDir, SchemeFile, SchemePath:
		return r.orPrefixed(r.Name, "dir:")
	case SchemeHub:
		return r.orPrefixed(withFile(withRevision(r.Name, "@", r.Revision), r.File), "hf:")
	case SchemeLicense:
		return "license:" + r.Name
	case SchemeOllama, SchemeOCI:
		return string(r.Scheme) + ":" + withRevision(r.Name, separator(r.Revision), r.Revision)
	default:
		return r.Name
	}
}

// orPrefixed puts the prefix before short if short alone would be read as something else: the folder org/name, the
// repository org/notes.md.
func (r Ref) orPrefixed(short, prefix string) string {
	back, err := ParseRef(short)
	same := back.Scheme == r.Scheme || back.Scheme == SchemePath && (r.Scheme == SchemeDir || r.Scheme == SchemeFile)
	if err == nil && same && back.Name == r.Name && back.Revision == r.Revision && back.File == r.File {
		return short
	}
	return prefix + short
}

func separator(revision string) string {
	if strings.HasPrefix(revision, "sha256:") {
		return "@"
	}
	return ":"
}

func withRevision(name, sep, rev string) string {
	if rev == "" {
		return name
	}
	return name + sep + rev
}

func withFile(name, file string) string {
	if file == "" {
		return name
	}
	return name + "#" + file
}

var (
	repoPart = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,94}[A-Za-z0-9_])?$`)
	revision = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/+-]{0,198}[A-Za-z0-9_+-])?$`)
	ociTag   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	ociName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]{1,5})?(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)
	digest   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	drive    = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
)

// validRepo follows the rules of the hub for org/name, and for the few old names without an organization.
func validRepo(name string) bool {
	org, repo, found := strings.Cut(name, "/")
	if !found {
		org, repo = repo, org
	}
	return (!found || repoPart.MatchString(org)) && repoPart.MatchString(repo) && !strings.Contains(name, "..") &&
		!strings.Contains(name, "--") && !strings.HasSuffix(name, ".git")
}

// MaxRef is the longest reference that is read, in bytes.
const MaxRef = 4096

// maxShown is how much of a reference an error repeats, in bytes.
const maxShown = 200

// ParseRef reads a reference as people type it. It never looks at the disk: what has a path's form (./x, ../x, /x,
// ~/x, C:\x, a name with a known file ending or without any slash) is a path; org/name is a repository of the hub. A
// prefix (hf:, dir:, ollama:, oci:, license:) says what is meant where the form does not.
func ParseRef(s string) (Ref, error) {
	switch {
	case strings.TrimSpace(s) == "":
		return Ref{}, errors.New("reading a model reference: it is empty")
	case len(s) > MaxRef:
		return Ref{}, fmt.Errorf("reading a model reference: it is %d bytes long, more than %d", len(s), MaxRef)
	}
	r, err := parseRef(s)
	if err == nil && strings.ContainsFunc(r.Name, unicode.IsControl) {
		err = errors.New("it contains a control character")
	}
	if err != nil {
		return Ref{}, fmt.Errorf("reading model reference %q: %w", s[:min(len(s), maxShown)], err)
	}
	return r, nil
}

func parseRef(s string) (Ref, error) {
	for _, p := range []struct {
		prefix string
		parse  func(string) (Ref, error)
	}{
		{"license:", parseLicense},
		{"hf://", parseHub},
		{"hf:", parseHub},
		{"ollama://", parseOllama},
		{"ollama:", parseOllama},
		{"oci://", parseOCI},
		{"oci:", parseOCI},
		{"file://", parseFile},
		{"dir:", parsePath},
		{"file:", parsePath},
	} {
		if len(s) >= len(p.prefix) && strings.EqualFold(s[:len(p.prefix)], p.prefix) {
			return p.parse(s[len(p.prefix):])
		}
	}
	if scheme, _, ok := strings.Cut(s, "://"); ok && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http")) {
		return parseURL(s)
	}
	if hub := strings.TrimSpace(s); !isPath(hub) && strings.Contains(hub, "/") {
		if r, err := parseHub(hub); err == nil {
			return r, nil
		}
	}
	return parsePath(s)
}

// isPath reports whether s can only be meant as a path.
func isPath(s string) bool {
	for _, p := range []string{"./", "../", "/", "~/", `.\`, `..\`, `\`, `~\`} {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	if drive.MatchString(s) || strings.Contains(s, `\`) || s == "." || s == ".." || s == "~" {
		return true
	}
	switch strings.ToLower(path.Ext(s)) {
	case ".json", ".txt", ".md", ".yaml", ".yml", ".safetensors", ".html", ".pdf":
		return true
	case ".gguf":
		return !strings.Contains(s, "#")
	}
	return strings.HasSuffix(s, "/")
}

func parsePath(s string) (Ref, error) {
	if s == "" {
		return Ref{}, errors.New("the path is missing")
	}
	return Ref{Scheme: SchemePath, Name: s}, nil
}

// parseFile reads what follows file://: /models/x, localhost/models/x, /C:/models/x.
func parseFile(s string) (Ref, error) {
	u, err := url.Parse("file://" + s)
	if err != nil || u.Host != "" && u.Host != "localhost" {
		return Ref{}, errors.New("a file address names a path on this machine, like file:///models/x")
	}
	if name := strings.TrimPrefix(u.Path, "/"); drive.MatchString(name) {
		return parsePath(name)
	}
	return parsePath(u.Path)
}

func parseLicense(s string) (Ref, error) {
	if strings.TrimSpace(s) == "" {
		return Ref{}, errors.New("license: needs an id or an SPDX expression, like license:apache-2.0")
	}
	return Ref{Scheme: SchemeLicense, Name: strings.TrimSpace(s)}, nil
}

// parseHub reads org/name, org/name@revision and org/name#file. An @ or # with nothing behind it is an error and not
// the default: it is what remains of org/name@$COMMIT when the variable is empty.
func parseHub(s string) (Ref, error) {
	name, file, hasFile := strings.Cut(s, "#")
	name, rev, hasRev := strings.Cut(name, "@")
	switch {
	case hasFile && file == "":
		return Ref{}, errors.New("the file behind # is missing")
	case hasRev && rev == "":
		return Ref{}, errors.New("the revision behind @ is missing")
	}
	return hubRef(name, rev, file)
}

func hubRef(name, rev, file string) (Ref, error) {
	switch {
	case !validRepo(name):
		return Ref{}, fmt.Errorf("%q is not a repository name like org/name", name)
	case rev != "" && (!revision.MatchString(rev) || strings.Contains(rev, "..") || strings.Contains(rev, "//")):
		return Ref{}, fmt.Errorf("%q is not a revision", rev)
	}
	if file != "" {
		if err := filename.Check(file); err != nil {
			return Ref{}, fmt.Errorf("the file name %q %w", file, err)
		}
	}
	return Ref{Scheme: SchemeHub, Name: name, Revision: rev, File: file}, nil
}

// isHubHost knows the addresses of the public hub that people copy from a browser.
func isHubHost(host string) bool {
	switch strings.ToLower(host) {
	case "huggingface.co", "www.huggingface.co", "hf.co":
		return true
	}
	return false
}

func parseURL(s string) (Ref, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return Ref{}, errors.New("it is not an address")
	case u.User != nil:
		return Ref{}, errors.New("an address must not carry a user name or a password")
	case u.Hostname() == "":
		return Ref{}, errors.New("the address names no host")
	case isHubHost(u.Hostname()):
		return parseHubURL(u)
	case !strings.HasSuffix(strings.ToLower(u.Path), ".gguf"):
		return Ref{}, errors.New("only addresses of the hub and of .gguf files are read")
	case u.Scheme != "https" && !loopback(u.Hostname()):
		return Ref{}, errors.New("the address must begin with https://, because anybody on the way can change what http:// brings")
	}
	return Ref{Scheme: SchemeURL, Name: s}, nil
}

func loopback(host string) bool { return host == "localhost" || host == "127.0.0.1" || host == "::1" }

// parseHubURL reads https://huggingface.co/org/name, .../tree/rev, .../blob/rev/file and .../resolve/rev/file. A
// revision with slashes stands there as refs%2Fpr%2F1.
func parseHubURL(u *url.URL) (Ref, error) {
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for i, p := range parts {
		part, err := url.PathUnescape(p)
		if err != nil {
			return Ref{}, errors.New("it is not an address")
		}
		parts[i] = part
	}
	if len(parts) > 2 && parts[0] == "api" && parts[1] == "models" {
		parts = parts[2:]
	}
	if len(parts) == 0 || !isOrg(parts[0]) {
		return Ref{}, fmt.Errorf("%q is not the address of a model repository", u.Path)
	}
	if n := len(parts) - 1; n < 2 {
		parts[n] = strings.TrimSuffix(parts[n], ".git")
	}
	if len(parts) <= 2 {
		return hubRef(strings.Join(parts, "/"), "", "")
	}
	return hubView(parts[0]+"/"+parts[1], parts[2], parts[3:])
}

// hubView reads what follows the repository in the address of a page: tree, commit, blob, resolve or raw, the revision
// and a file. Only a GGUF file is asked for by itself.
func hubView(name, view string, rest []string) (Ref, error) {
	switch view {
	case "tree", "commit", "blob", "resolve", "raw", "revision":
	default:
		return Ref{}, fmt.Errorf("the page %q of a repository is not a model; name the repository alone", view)
	}
	if len(rest) == 0 {
		return hubRef(name, "", "")
	}
	rev, file := rest[0], strings.Join(rest[1:], "/")
	if rev == "refs" && len(rest) >= 3 {
		rev, file = strings.Join(rest[:3], "/"), strings.Join(rest[3:], "/")
	}
	if !strings.HasSuffix(strings.ToLower(file), ".gguf") {
		file = ""
	}
	return hubRef(name, rev, file)
}

// isOrg refuses the pages of the hub that are no organization.
func isOrg(s string) bool {
	switch s {
	case "", "datasets", "spaces", "docs", "blog", "papers", "collections", "tasks", "learn", "api", "settings", "posts", "new",
		"organizations", "models", "join", "login", "pricing", "search", "chat", "enterprise", "inference", "support":
		return false
	}
	return true
}

func parseOllama(s string) (Ref, error) {
	name, tag, err := cutTag(s)
	if err != nil {
		return Ref{}, err
	}
	return Ref{Scheme: SchemeOllama, Name: name, Revision: tag}, nil
}

func parseOCI(s string) (Ref, error) {
	name, tag, err := cutTag(s)
	if err != nil {
		return Ref{}, err
	}
	if !strings.Contains(name, "/") {
		return Ref{}, fmt.Errorf("%q names no registry; write oci:registry/repository:tag", s)
	}
	return Ref{Scheme: SchemeOCI, Name: name, Revision: tag}, nil
}

// cutTag splits name:tag and name@sha256:digest; a colon before the last slash belongs to a port. Of name:tag@digest
// the digest counts, as it does for every client of a registry.
func cutTag(s string) (name, tag string, err error) {
	name, tag, pinned := strings.Cut(s, "@")
	if pinned && !digest.MatchString(tag) {
		return "", "", fmt.Errorf("%q is not a digest like sha256:<64 hex digits>", tag)
	}
	if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "/") {
		word := name[i+1:]
		if !ociTag.MatchString(word) {
			return "", "", fmt.Errorf("%q is not a tag", word)
		}
		name = name[:i]
		if !pinned {
			tag = word
		}
	}
	if !ociName.MatchString(name) || strings.Contains(name, "..") {
		return "", "", fmt.Errorf("%q is not the name of a repository in a registry", name)
	}
	return name, tag, nil
}
