package model

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/weights"
)

// Limits of what is read of one model.
const (
	maxCard    = MaxText  // front matter and text of the card
	maxTexts   = 200      // files with terms
	maxAllText = 32 << 20 // bytes of all of them together
	maxConfigs = 32       // config files, of the root and the folders in it
	maxConfig  = 16 << 20 // bytes of one config file
	maxMerge   = 1 << 20  // bytes of a merge config
)

// reader fills one Model.
type reader struct {
	fsys      fs.FS
	m         *Model
	tree      tree
	adapter   bool // there is an adapter_config.json
	quantized bool // the configuration tells of a quantization made after training
	shape     bool // what the shape follows from is read, and not what speaks of the license
	hints     []Parent
	formats   map[string]bool
}

// Read reads the model in fsys. What is missing, too large, malformed or not a regular file becomes a Gap; the error is
// for a folder that cannot be read at all. Weights are never read whole: only their headers, and these only where the
// files satisfy io.ReaderAt.
//
// If ref is of SchemeFile, fsys holds one file (and the other parts of a split GGUF), which is read as what it is, or as
// a license text if it is nothing else.
func Read(fsys fs.FS, ref Ref, revision string) (*Model, error) {
	r := &reader{fsys: fsys, m: &Model{Ref: ref, Revision: revision}, formats: make(map[string]bool)}
	if err := r.walk(); err != nil {
		return nil, fmt.Errorf("reading the files of %s: %w", ref, cause(err))
	}
	r.readCards()
	r.readTexts()
	r.readConfigs()
	r.readMerges()
	r.readWeights()
	r.relate()
	r.absent()
	slices.SortFunc(r.m.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return r.m, nil
}

// alone tells that one file was named and not a folder.
func (r *reader) alone() bool { return r.m.Ref.Scheme == SchemeFile }

// classify is classify by name, and for a file named alone also by what the file begins with.
func (r *reader) classify(name string) (class, TextKind) {
	c, kind := classify(name)
	if c != other || !r.alone() {
		return c, kind
	}
	head, _, err := r.readFile(name, weights.Head)
	ext := strings.ToLower(path.Ext(name))
	switch {
	case err != nil:
		return termsFile, LicenseText // reading it again says why not
	case weights.Sniff(head) != weights.Unknown && weights.Sniff(head) != weights.Zip:
		return weightFile, ""
	case ext == ".json":
		return configFile, ""
	case sealedEnding(ext):
		return sealed, LicenseText
	case ext == ".md" && opensFront(head):
		return cardFile, ""
	}
	return termsFile, LicenseText
}

// maxGaps is how many gaps are named. What is beyond counts as unread, whatever it is.
const maxGaps = 500

func (r *reader) gap(kind GapKind, what, why string, args ...any) {
	switch n := len(r.m.Gaps); {
	case n < maxGaps:
		r.m.Gaps = append(r.m.Gaps, Gap{What: what, Why: fmt.Sprintf(why, args...), Kind: kind})
	case n == maxGaps:
		r.m.Gaps = append(r.m.Gaps, Gap{
			What: "more", Why: fmt.Sprintf("there are more than %d gaps, the others are not named", maxGaps),
			Kind: Unread,
		})
	}
}

// failed notes a file that could not be read, as a matter of the file or of a source that did not answer.
func (r *reader) failed(name, doing string, err error) {
	kind := Unread
	if errors.Is(err, ErrUnreachable) {
		kind = Unreachable
	}
	r.gap(kind, name, "%s: %v", doing, cause(err))
}

// readFile reads at most limit bytes of a regular file; cut tells that there are more.
func (r *reader) readFile(name string, limit int64) (data []byte, cut bool, err error) {
	f, err := r.fsys.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, false, err
	case !info.Mode().IsRegular():
		return nil, false, errors.New("it is not a regular file")
	}
	data, err = io.ReadAll(io.LimitReader(f, limit+1))
	if int64(len(data)) > limit {
		return data[:limit], true, err
	}
	return data, false, err
}

// load reads a file of text and notes it as read. A file that cannot be read, or is a pointer to a file that was not
// fetched, is a gap and not ok.
func (r *reader) load(e entry, limit int64) (data []byte, cut, ok bool) {
	data, cut, err := r.readFile(e.path, limit)
	switch p, isPointer := parsePointer(data); {
	case err != nil:
		r.failed(e.path, "it could not be read", err)
	case isPointer:
		r.file(File{Path: e.path, Size: p.size, SHA256: p.sha256})
		r.gap(Unread, e.path, "it is a Git LFS pointer, the file itself was not fetched; run git lfs pull")
		return nil, false, false
	default:
		ok = true
	}
	r.file(File{Path: e.path, Size: e.size})
	return data, cut, ok
}

func (r *reader) file(f File) { r.m.Files = append(r.m.Files, f) }

// absent names what a model should have and this one lacks. Of a file named alone nothing more is expected.
func (r *reader) absent() {
	if r.alone() {
		return
	}
	if r.m.Card == nil && len(r.tree.byClass[cardFile]) == 0 {
		r.gap(Absent, "README.md", "there is no model card, so it declares no license and no base model")
	}
	if len(r.tree.byClass[termsFile]) == 0 && len(r.tree.byClass[sealed]) == 0 {
		r.gap(Absent, "LICENSE", "there is no file with the terms, so only what is declared elsewhere counts")
	}
	if len(r.tree.byClass[weightFile]) == 0 {
		r.gap(Absent, "weights", "no weight file was found, so nothing was read from a header")
	}
}

// pointer is a Git LFS pointer: what a checkout holds in place of a large file that was not fetched.
type pointer struct {
	sha256 string
	size   int64
}

// maxPointer is the size limit that Git LFS sets for pointers.
const maxPointer = 1024

func parsePointer(data []byte) (pointer, bool) {
	if !bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/spec/v1")) || len(data) > maxPointer {
		return pointer{}, false
	}
	p := pointer{size: -1}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "oid":
			if hash, ok := strings.CutPrefix(value, "sha256:"); ok && digest.MatchString(value) {
				p.sha256 = hash
			}
		case "size":
			p.size = parseSize(value)
		}
	}
	return p, true
}

func parseSize(s string) int64 {
	var n int64
	if len(s) > 15 {
		return -1
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
