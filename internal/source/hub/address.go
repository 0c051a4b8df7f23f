package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/filename"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// openAddress opens a GGUF file at an address that a person typed. An address from a card or from weights leads nowhere:
// a model must not choose whom we ask, so only hosts that the user named are.
func (o *Opener) openAddress(ctx context.Context, ref model.Ref) (*source.Snapshot, error) {
	fail := func(err error) (*source.Snapshot, error) {
		return nil, fmt.Errorf("opening %s: %w", o.Client.Redact(ref.String()), err)
	}
	u, err := url.Parse(ref.Name)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return fail(fmt.Errorf("%w: it is not an address like https://host/x.gguf", source.ErrNotFound))
	}
	if !o.Client.Named(u) {
		return fail(fmt.Errorf("%w: nobody named the host %s on the command line", source.ErrForbidden, u.Host))
	}
	name := path.Base(u.Path)
	if err := filename.Check(name); err != nil {
		return fail(fmt.Errorf("%w: the name of the file %s", source.ErrNotFound, err.Error()))
	}
	f := addressFiles(ctx, o.Client, u, name)
	if err := checkMagic(f, name); err != nil {
		return fail(withoutPath(err))
	}
	return &source.Snapshot{Ref: ref, FS: f, Files: f.listed(), Gaps: addressGaps(u), Failed: f.Gaps}, nil
}

func addressFiles(ctx context.Context, c *fetch.Client, u *url.URL, name string) *Files {
	var files []file
	for _, n := range splitNames(name) {
		files = append(files, file{Path: n, Size: -1})
	}
	f := newFiles(ctx, c, files)
	f.address = func(name string) string {
		v := *u
		v.Path, v.RawPath = path.Join(path.Dir(u.Path), name), ""
		return v.String()
	}
	return f
}

func (f *Files) listed() []model.File {
	var files []file
	for _, n := range f.nodes {
		if n.children == nil {
			files = append(files, file{Path: n.Path, Size: n.size()})
		}
	}
	return listed(files)
}

// checkMagic opens the file and looks at its first bytes: servers answer with a page and status 200 at any address.
func checkMagic(f *Files, name string) error {
	g, err := f.Open(name)
	if err != nil {
		return err
	}
	defer g.Close()
	head := make([]byte, 4)
	if n, err := g.Read(head); err != nil || string(head[:n]) != "GGUF" {
		return fmt.Errorf("%w: what is there is no GGUF file", source.ErrMalformed)
	}
	return nil
}

// withoutPath leaves out what the caller's sentence says already.
func withoutPath(err error) error {
	if e, ok := errors.AsType[*fetch.Error](err); ok {
		return e
	}
	return err
}

func addressGaps(u *url.URL) []model.Gap {
	gaps := []model.Gap{{
		What: "revision", Kind: model.Absent,
		Why: "an address is not pinned: what is there may change, and nobody publishes its digest",
	}}
	if u.Scheme == "http" {
		gaps = append(gaps, model.Gap{
			What: "encryption", Kind: model.Absent,
			Why: "the file came over plain http, so anybody on the way could have changed it",
		})
	}
	return gaps
}

var splitForm = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.gguf$`)

// maxSplits is how many parts of a split GGUF are known by name.
const maxSplits = 1000

// splitNames are the names of all parts of a split GGUF, or the name alone.
func splitNames(name string) []string {
	m := splitForm.FindStringSubmatch(name)
	if m == nil {
		return []string{name}
	}
	of, err := strconv.Atoi(m[3])
	if err != nil || of < 1 || of > maxSplits {
		return []string{name}
	}
	names := make([]string, 0, of)
	for i := 1; i <= of; i++ {
		names = append(names, fmt.Sprintf("%s-%05d-of-%05d.gguf", m[1], i, of))
	}
	if !slices.Contains(names, name) {
		return []string{name}
	}
	return names
}
