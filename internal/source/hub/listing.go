package hub

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/filename"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// The limits on a listing: real ones reach tens of thousands of files.
const (
	MaxListing = 64 << 20 // bytes after decompression
	MaxFiles   = 100_000
	maxTags    = 10_000
)

// listing is what the hub's API says of a repository at one revision.
type listing struct {
	ID       string // may differ from the one asked for: the repository was renamed
	Commit   string
	Gated    bool
	Disabled bool
	Files    []file
	Claims   []model.Claim
	Parents  []model.Parent
	Gaps     []model.Gap
}

// file is one file of a listing.
type file struct {
	Path   string
	Size   int64  // -1 if not known
	Blob   string // git blob id; of the pointer if the file is in LFS
	SHA256 string // of the content, for a file in LFS
}

var (
	commitForm = regexp.MustCompile(`^[0-9a-f]{40}$`)
	sha256Form = regexp.MustCompile(`^[0-9a-f]{64}$`)
	idForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$`)
)

// foreignKeys are the objects of an answer that hold other people's names; a pair that differs by case is no attack there.
var foreignKeys = []string{"config", "cardData", "parameters", "transformersInfo", "widgetData", "gguf", "tokenizer_config"}

// parseListing reads the answer of /api/models/{id}/revision/{rev}?blobs=true.
func parseListing(b []byte) (*listing, error) {
	v, err := strictjson.Parse(bytes.NewReader(b), MaxListing, foreignKeys...)
	if err != nil {
		return nil, err
	}
	v, err = v.AsObject()
	if err != nil {
		return nil, err
	}
	l := &listing{}
	for _, read := range []func(strictjson.Value) error{l.readIdentity, l.readFlags, l.readFiles, l.readCard, l.readTags} {
		if err := read(v); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *listing) readIdentity(v strictjson.Value) error {
	var ok bool
	var err error
	if l.Commit, ok, err = v.String("sha"); err != nil || !ok || !commitForm.MatchString(l.Commit) {
		return cause(err, "sha is not a commit of 40 hex digits")
	}
	if l.ID, ok, err = v.String("id"); err == nil && !ok {
		l.ID, ok, err = v.String("modelId")
	}
	if err != nil || !ok || !idForm.MatchString(l.ID) || strings.Contains(l.ID, "..") {
		return cause(err, "id is not the name of a repository")
	}
	return nil
}

func cause(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s", otherwise)
}

// readFlags reads gated (false, "auto" or "manual") and disabled.
func (l *listing) readFlags(v strictjson.Value) error {
	if g, ok := v.Get("gated"); ok {
		switch g.Kind() {
		case strictjson.Null:
		case strictjson.Bool:
			l.Gated, _ = g.AsBool()
		default:
			l.Gated = true
		}
	}
	var err error
	l.Disabled, _, err = v.Bool("disabled")
	return err
}

func (l *listing) readFiles(v strictjson.Value) error {
	siblings, ok := v.Get("siblings")
	if !ok || siblings.Kind() != strictjson.Array {
		return errors.New("siblings, the list of files, is missing")
	}
	l.Files = make([]file, 0, min(siblings.Len(), MaxFiles))
	for s := range siblings.Elements() {
		if len(l.Files) == MaxFiles {
			l.gap("files of the repository", fmt.Sprintf("it lists %d, of which the first %d are read", siblings.Len(), MaxFiles))
			break
		}
		if err := l.readFile(s); err != nil {
			return err
		}
	}
	return l.checkTree()
}

func (l *listing) gap(what, why string) {
	l.Gaps = append(l.Gaps, model.Gap{What: what, Why: why, Kind: model.Unread})
}

// harmless are endings of files in which no terms stand. A name that is unsafe on some system, such as "what?.png", then
// costs no verdict.
var harmless = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".mp3", ".mp4", ".wav", ".flac", ".py", ".ipynb", ".csv", ".parquet"}

// readFile takes one sibling. A name that is no safe name leaves a gap and is used for nothing.
func (l *listing) readFile(s strictjson.Value) error {
	name, ok, err := s.String("rfilename")
	if err != nil || !ok {
		return cause(err, "a file without a name is listed")
	}
	if err := filename.Check(name); err != nil {
		g := model.Gap{What: fmt.Sprintf("file %q", name[:min(len(name), 200)]), Why: "its name " + err.Error(), Kind: model.Unread}
		if slices.Contains(harmless, strings.ToLower(path.Ext(name))) {
			g.Kind = model.Absent
		}
		l.Gaps = append(l.Gaps, g)
		return nil
	}
	f, err := readFacts(name, s)
	if err != nil {
		return fmt.Errorf("file %q: %w", name, err)
	}
	l.Files = append(l.Files, f)
	return nil
}

func readFacts(name string, s strictjson.Value) (file, error) {
	f := file{Path: name, Size: -1}
	var err error
	if f.Size, err = sizeOf(s, f.Size); err != nil {
		return f, err
	}
	if f.Blob, _, err = s.String("blobId"); err != nil || f.Blob != "" && !commitForm.MatchString(f.Blob) {
		return f, cause(err, "blobId is not 40 hex digits")
	}
	lfs, ok, err := s.Object("lfs")
	if err != nil || !ok {
		return f, err
	}
	if f.SHA256, ok, err = lfs.String("sha256"); err == nil && !ok {
		f.SHA256, _, err = lfs.String("oid")
	}
	f.SHA256 = strings.TrimPrefix(f.SHA256, "sha256:")
	if err != nil || f.SHA256 != "" && !sha256Form.MatchString(f.SHA256) {
		return f, cause(err, "lfs.sha256 is not 64 hex digits")
	}
	listed := f.Size
	f.Size, err = sizeOf(lfs, f.Size)
	if err == nil && listed >= 0 && listed != f.Size {
		err = fmt.Errorf("size is %d in one place and %d in another", listed, f.Size)
	}
	return f, err
}

func sizeOf(v strictjson.Value, otherwise int64) (int64, error) {
	n, ok, err := v.Int("size")
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return otherwise, nil
	case n < 0:
		return 0, fmt.Errorf("size is %d", n)
	}
	return n, nil
}

// checkTree refuses a list that no folder can have: a name twice, or a file that is also a folder.
func (l *listing) checkTree() error {
	names := make(map[string]bool, len(l.Files))
	for _, f := range l.Files {
		if names[f.Path] {
			return fmt.Errorf("file %q is listed twice", f.Path)
		}
		names[f.Path] = true
	}
	for _, f := range l.Files {
		for i := range len(f.Path) {
			if f.Path[i] == '/' && names[f.Path[:i]] {
				return fmt.Errorf("%q is listed as a file and as a folder", f.Path[:i])
			}
		}
	}
	return nil
}

// The places that claims name.
const (
	whereCard = "hub api cardData.license"
	whereTags = "hub api tags"
	whereBase = "hub api cardData.base_model"
)

// readCard takes what the hub read from the front matter of the card.
func (l *listing) readCard(v strictjson.Value) error {
	card, ok := v.Get("cardData")
	if !ok || card.Kind() != strictjson.Object {
		return nil
	}
	if err := checkCase(card, "license", "license_name", "license_link", "base_model", "base_model_relation"); err != nil {
		return err
	}
	name, link := l.text(card, "license_name"), l.text(card, "license_link")
	licenses := l.texts(card, "license")
	if len(licenses) == 0 && (name != "" || link != "") {
		licenses = []string{""}
	}
	for _, s := range licenses {
		l.Claims = append(l.Claims, model.Claim{Origin: model.FromRegistry, Where: whereCard, Value: s, Name: name, Link: link})
	}
	relation := relationOf(l.text(card, "base_model_relation"))
	for _, s := range l.texts(card, "base_model") {
		l.Parents = append(l.Parents, model.Parent{Ref: s, Relation: relation, Where: whereBase})
	}
	return nil
}

// checkCase refuses a key that differs from one that matters by case only.
func checkCase(v strictjson.Value, names ...string) error {
	for k := range v.Members() {
		for _, n := range names {
			if k != n && strings.EqualFold(k, n) {
				return fmt.Errorf("cardData has the key %q, which is %q in another spelling", k, n)
			}
		}
	}
	return nil
}

func (l *listing) text(v strictjson.Value, key string) string {
	s, ok := v.Get(key)
	if !ok || s.Kind() == strictjson.Null {
		return ""
	}
	t, err := s.AsString()
	if err != nil {
		l.gap("hub api cardData."+key, "it is no text")
	}
	return t
}

// texts reads a string or a list of strings, as the front matter of cards has them.
func (l *listing) texts(v strictjson.Value, key string) []string {
	s, ok := v.Get(key)
	if !ok || s.Kind() != strictjson.Array {
		if t := l.text(v, key); t != "" {
			return []string{t}
		}
		return nil
	}
	var out []string
	for e := range s.Elements() {
		t, err := e.AsString()
		if err != nil || len(out) == 100 {
			l.gap("hub api cardData."+key, "the list is longer than 100 or holds something that is no text")
			break
		}
		out = append(out, t)
	}
	return out
}

// relationOf names a relation as the hub does; what it does not know is a derivative of some kind.
func relationOf(s string) model.Relation {
	switch r := model.Relation(s); r {
	case model.Finetune, model.Adapter, model.Quantized, model.Merge:
		return r
	default:
		return model.Derived
	}
}

// readTags takes the license tag, if the card does not say the same, and the base models, if the card names none.
func (l *listing) readTags(v strictjson.Value) error {
	tags, ok := v.Get("tags")
	if !ok || tags.Kind() != strictjson.Array {
		return nil
	}
	named := len(l.Parents) > 0
	n := 0
	for t := range tags.Elements() {
		if n++; n > maxTags {
			l.gap(whereTags, fmt.Sprintf("there are more than %d", maxTags))
			break
		}
		s, err := t.AsString()
		if err != nil {
			continue // a tag that is no text says nothing that we could read wrongly
		}
		l.readTag(s, named)
	}
	return nil
}

func (l *listing) readTag(tag string, named bool) {
	if id, ok := strings.CutPrefix(tag, "license:"); ok {
		if !slices.ContainsFunc(l.Claims, func(c model.Claim) bool { return c.Value == id }) {
			l.Claims = append(l.Claims, model.Claim{Origin: model.FromRegistry, Where: whereTags, Value: id})
		}
		return
	}
	id, ok := strings.CutPrefix(tag, "base_model:")
	if !ok || named {
		return
	}
	relation := model.Derived
	if r, rest, ok := strings.Cut(id, ":"); ok {
		relation, id = relationOf(r), rest
	}
	at := slices.IndexFunc(l.Parents, func(p model.Parent) bool { return p.Ref == id })
	switch {
	case at < 0:
		l.Parents = append(l.Parents, model.Parent{Ref: id, Relation: relation, Where: whereTags})
	case l.Parents[at].Relation == model.Derived:
		l.Parents[at].Relation = relation
	}
}
