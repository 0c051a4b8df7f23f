package model

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
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
	SchemeLicense Scheme = "license" // a license alone: a catalogue id or an SPDX expression
)

// Ref names a model or a license.
type Ref struct {
	Scheme   Scheme
	Name     string // path, org/name, address, registry/repository, license id
	Revision string // branch, tag, commit or digest; "" is the default of the origin
	File     string // one file of the repository, for example a GGUF; "" is all
}

// String writes the reference in the form that ParseRef reads back.
func (r Ref) String() string {
	switch r.Scheme {
	case SchemeDir, SchemeFile, SchemePath, SchemeURL:
		return r.Name
	case SchemeHub:
		return withFile(withRevision(r.Name, "@", r.Revision), r.File)
	case SchemeLicense:
		return "license:" + r.Name
	case SchemeOllama, SchemeOCI:
		return string(r.Scheme) + ":" + withRevision(r.Name, separator(r.Revision), r.Revision)
	}
	return r.Name
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
	hubName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)
	revision = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}$`)
	ociTag   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	ociName  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*(:[0-9]{1,5})?(/[A-Za-z0-9][A-Za-z0-9._-]*)*$`)
	digest   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	drive    = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
)

// MaxRef is the longest reference that is read, in bytes.
const MaxRef = 4096

// ParseRef reads a reference as people type it. It never looks at the disk: what has a path's form (./x, ../x, /x,
// ~/x, C:\x, a name with a known file ending or without any slash) is a path; org/name is a repository of the hub.
func ParseRef(s string) (Ref, error) {
	switch {
	case s == "":
		return Ref{}, fmt.Errorf("reading a model reference: it is empty")
	case len(s) > MaxRef:
		return Ref{}, fmt.Errorf("reading a model reference: it is %d bytes long, more than %d", len(s), MaxRef)
	case strings.ContainsAny(s, "\x00\n\r"):
		return Ref{}, fmt.Errorf("reading model reference %q: it contains a control character", s)
	}
	for _, p := range []struct {
		prefix string
		parse  func(string) (Ref, error)
	}{
		{"license:", parseLicense}, {"hf://", parseHub}, {"hf:", parseHub}, {"ollama://", parseOllama}, {"ollama:", parseOllama},
		{"oci://", parseOCI}, {"oci:", parseOCI}, {"https://", parseURL}, {"http://", parseURL},
		{"file://", parseFile}, {"dir:", parsePath}, {"file:", parsePath},
	} {
		if rest, ok := strings.CutPrefix(s, p.prefix); ok {
			if strings.HasPrefix(p.prefix, "http") {
				rest = s
			}
			r, err := p.parse(rest)
			if err != nil {
				return Ref{}, fmt.Errorf("reading model reference %q: %w", s, err)
			}
			return r, nil
		}
	}
	if !isPath(s) && strings.Contains(s, "/") {
		if r, err := parseHub(s); err == nil {
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

func parsePath(s string) (Ref, error) { return Ref{Scheme: SchemePath, Name: s}, nil }

func parseFile(s string) (Ref, error) {
	u, err := url.Parse("file://" + s)
	if err != nil || (u.Host != "" && u.Host != "localhost") {
		return Ref{}, fmt.Errorf("a file address names a path on this machine, like file:///models/x")
	}
	return parsePath(u.Path)
}

func parseLicense(s string) (Ref, error) {
	if strings.TrimSpace(s) == "" {
		return Ref{}, fmt.Errorf("license: needs an id or an SPDX expression, like license:apache-2.0")
	}
	return Ref{Scheme: SchemeLicense, Name: strings.TrimSpace(s)}, nil
}

func parseHub(s string) (Ref, error) {
	name, file, _ := strings.Cut(s, "#")
	name, rev, _ := strings.Cut(name, "@")
	return hubRef(name, rev, file)
}

func hubRef(name, rev, file string) (Ref, error) {
	if !hubName.MatchString(name) || strings.Contains(name, "..") || strings.Contains(name, "--") {
		return Ref{}, fmt.Errorf("%q is not a repository name like org/name", name)
	}
	if rev != "" && (!revision.MatchString(rev) || strings.Contains(rev, "..")) {
		return Ref{}, fmt.Errorf("%q is not a revision", rev)
	}
	return Ref{Scheme: SchemeHub, Name: name, Revision: rev, File: file}, nil
}

// hubHosts are the addresses of the public hub that people copy from a browser.
var hubHosts = map[string]bool{"huggingface.co": true, "www.huggingface.co": true, "hf.co": true}

func parseURL(s string) (Ref, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Ref{}, fmt.Errorf("it is not an address: %w", err)
	}
	if u.User != nil {
		return Ref{}, fmt.Errorf("an address must not carry a user name or a password")
	}
	if hubHosts[u.Hostname()] {
		return parseHubURL(u)
	}
	if !strings.HasSuffix(strings.ToLower(u.Path), ".gguf") {
		return Ref{}, fmt.Errorf("only addresses of the hub and of .gguf files are read")
	}
	return Ref{Scheme: SchemeURL, Name: s}, nil
}

// parseHubURL reads https://huggingface.co/org/name, .../tree/rev, .../blob/rev/file and .../resolve/rev/file.
func parseHubURL(u *url.URL) (Ref, error) {
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	switch {
	case len(parts) == 2:
		return hubRef(parts[0]+"/"+parts[1], "", "")
	case len(parts) >= 4 && (parts[2] == "tree" || parts[2] == "commit"):
		return hubRef(parts[0]+"/"+parts[1], parts[3], "")
	case len(parts) >= 5 && (parts[2] == "blob" || parts[2] == "resolve" || parts[2] == "raw"):
		file := strings.Join(parts[4:], "/")
		if !strings.HasSuffix(strings.ToLower(file), ".gguf") {
			file = ""
		}
		return hubRef(parts[0]+"/"+parts[1], parts[3], file)
	}
	return Ref{}, fmt.Errorf("%q is not the address of a model repository", u.Path)
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

// cutTag splits name:tag and name@sha256:digest; a colon before the last slash belongs to a port.
func cutTag(s string) (name, tag string, err error) {
	name, tag, found := strings.Cut(s, "@")
	if found && !digest.MatchString(tag) {
		return "", "", fmt.Errorf("%q is not a digest like sha256:<64 hex digits>", tag)
	}
	if i := strings.LastIndex(name, ":"); !found && i > strings.LastIndex(name, "/") {
		name, tag = name[:i], name[i+1:]
		if !ociTag.MatchString(tag) {
			return "", "", fmt.Errorf("%q is not a tag", tag)
		}
	}
	if !ociName.MatchString(name) || strings.Contains(name, "..") {
		return "", "", fmt.Errorf("%q is not the name of a repository in a registry", name)
	}
	return name, tag, nil
}
