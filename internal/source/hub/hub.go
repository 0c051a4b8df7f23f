// Package hub opens models on a Hugging Face hub or a mirror of it, and single GGUF files at an address.
//
// A reference is pinned to a commit first; every file is then read at that commit and compared with what the commit
// lists. Only the files that somebody opens are fetched, and weights in parts. Whatever the hub does not give is an
// error of source or a gap; a page, a portal or another file at the place of the one listed is never taken for an
// answer.
//
// API: huggingface_hub (hf_api.py, file_download.py, utils/_http.py), https://huggingface.co/docs/hub/api.
package hub

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// Opener opens references of the schemes hf and url.
type Opener struct {
	Client *fetch.Client
	// Fallback is asked for a repository when the hub cannot be and our cache does not hold it: huggingface_hub's cache.
	Fallback source.Opener
}

// Open implements source.Opener. The snapshot reads its files with ctx.
func (o *Opener) Open(ctx context.Context, ref model.Ref) (*source.Snapshot, error) {
	switch ref.Scheme {
	case model.SchemeHub:
		return o.openRepository(ctx, ref)
	case model.SchemeURL:
		return o.openAddress(ctx, ref)
	default:
		return nil, fmt.Errorf("opening %s: the hub does not know references of the kind %q", ref, ref.Scheme)
	}
}

func (o *Opener) openRepository(ctx context.Context, ref model.Ref) (*source.Snapshot, error) {
	if !idForm.MatchString(ref.Name) || strings.Contains(ref.Name, "..") {
		return nil, fmt.Errorf("opening %s: %w: it is not a name like org/name", ref, source.ErrNotFound)
	}
	l, err := o.list(ctx, ref)
	if err == nil {
		return o.snapshot(ctx, ref, l)
	}
	err = fmt.Errorf("opening %s: %w", ref, err)
	if ctx.Err() != nil || !errors.Is(err, source.ErrUnreachable) && !errors.Is(err, source.ErrOffline) {
		return nil, err
	}
	return o.withoutHub(ctx, ref, err)
}

// revisionOf is the revision that is asked for.
func revisionOf(ref model.Ref) string {
	if ref.Revision == "" {
		return "main"
	}
	return ref.Revision
}

// The keys of the cache. A revision leads to a commit, a commit to a listing.
func (o *Opener) revisionKey(ref model.Ref) string {
	return "revision\x00" + o.Client.Endpoint() + "\x00" + ref.Name + "\x00" + revisionOf(ref)
}

func (o *Opener) listingKey(ref model.Ref, commit string) string {
	return "listing\x00" + o.Client.Endpoint() + "\x00" + ref.Name + "\x00" + commit
}

// list asks the hub what it has.
func (o *Opener) list(ctx context.Context, ref model.Ref) (*listing, error) {
	u := o.Client.Endpoint() + "/api/models/" + ref.Name + "/revision/" + url.PathEscape(revisionOf(ref)) + "?blobs=true"
	r, err := o.Client.Get(ctx, fetch.Request{URL: u, Accept: "application/json", Limit: MaxListing})
	if err != nil {
		return nil, o.explain(ref, err)
	}
	if looksLikePage(r) {
		return nil, fmt.Errorf("%w: %s answers with a page for people instead of a listing: a portal or a proxy, or not a hub",
			source.ErrUnreachable, o.Client.Endpoint())
	}
	l, err := parseListing(r.Body)
	if err == nil && commitForm.MatchString(ref.Revision) && l.Commit != ref.Revision {
		err = fmt.Errorf("it is of commit %s", l.Commit)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the listing of %s: %w: %s", ref.Name, source.ErrMalformed, o.Client.Redact(err.Error()))
	}
	o.Client.Cache().Put(o.listingKey(ref, l.Commit), r.Body)
	if l.Commit != ref.Revision {
		o.Client.Cache().Put(o.revisionKey(ref), []byte(l.Commit))
	}
	return l, nil
}

// snapshot makes files of a listing.
func (o *Opener) snapshot(ctx context.Context, ref model.Ref, l *listing) (*source.Snapshot, error) {
	files, err := chosen(ref, l.Files)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", ref, err)
	}
	f := newFiles(ctx, o.Client, files)
	f.commit, f.parents = l.Commit, l.Parents
	f.key = o.Client.Endpoint() + "\x00" + l.ID + "\x00" + l.Commit
	base := o.Client.Endpoint() + "/" + l.ID + "/resolve/" + l.Commit + "/"
	f.address = func(name string) string { return base + escapePath(name) }
	f.explain = func(err error) error { return o.explain(ref, err) }
	return &source.Snapshot{
		Ref: ref, Revision: l.Commit, FS: f, Claims: l.Claims, Files: listed(files),
		Gaps: slices.Concat(o.oddities(ref, l), l.Gaps, o.probe(f, ref, l)), Parents: f.Parents(), Failed: f.Gaps,
	}, nil
}

func escapePath(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

func listed(files []file) []model.File {
	out := make([]model.File, 0, len(files))
	for _, f := range files {
		out = append(out, model.File{Path: f.Path, Size: f.Size, SHA256: f.SHA256})
	}
	slices.SortFunc(out, func(a, b model.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// chosen leaves out the other weights if one file is asked for: a repository of GGUF files holds the same model twenty
// times.
func chosen(ref model.Ref, files []file) ([]file, error) {
	if ref.File == "" {
		return files, nil
	}
	if !slices.ContainsFunc(files, func(f file) bool { return f.Path == ref.File }) {
		return nil, fmt.Errorf("%w: the repository has no file %q%s", source.ErrNotFound, ref.File, others(files))
	}
	want := splitNames(ref.File)
	return slices.DeleteFunc(slices.Clone(files), func(f file) bool {
		return isWeights(f.Path) && !slices.Contains(want, f.Path)
	}), nil
}

// others names the GGUF files that could be meant.
func others(files []file) string {
	var names []string
	for _, f := range files {
		if strings.HasSuffix(strings.ToLower(f.Path), ".gguf") {
			names = append(names, f.Path)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	const few = 8
	more := ""
	if len(names) > few {
		more = fmt.Sprintf(" and %d more", len(names)-few)
	}
	return "; it has " + strings.Join(names[:min(few, len(names))], ", ") + more
}

// oddities are what a reader of the report should know about the repository itself.
func (o *Opener) oddities(ref model.Ref, l *listing) []model.Gap {
	var out []model.Gap
	if l.ID != ref.Name {
		out = append(out, model.Gap{
			What: "hub name " + ref.Name, Kind: model.Absent,
			Why: fmt.Sprintf("renamed from %s to %s; use the new name, for somebody else may register the old one", ref.Name, l.ID),
		})
	}
	if l.Disabled {
		out = append(out, model.Gap{What: "repository " + l.ID, Kind: model.Unread, Why: "the hub has disabled it"})
	}
	if o.Client.TokenState() == fetch.TokenWithheld {
		out = append(out, model.Gap{
			What: "access token", Kind: model.Absent,
			Why: "it is not sent over plain http; use an https address in HF_ENDPOINT",
		})
	}
	return out
}

// probe opens one small file of a gated repository, because the hub lists such a repository to everybody and gives its
// files to few. After a refusal no other file is asked for.
func (o *Opener) probe(f *Files, ref model.Ref, l *listing) []model.Gap {
	if !l.Gated {
		return nil
	}
	name := small(l.Files)
	if name == "" {
		return nil
	}
	_, err := f.ReadFile(name)
	if !errors.Is(err, source.ErrForbidden) {
		return nil
	}
	f.denied = fmt.Errorf("%w: %s is gated; %s", source.ErrForbidden, l.ID, o.gateHint(l.ID))
	return []model.Gap{{What: "files of " + ref.Name, Kind: model.Restricted, Why: "the repository is gated; " + o.gateHint(l.ID)}}
}

// small is a file that is cheap to ask for.
func small(files []file) string {
	best := ""
	for _, f := range files {
		switch {
		case f.Path == "README.md":
			return f.Path
		case best == "" && !isWeights(f.Path) && f.Size <= 64<<10:
			best = f.Path
		}
	}
	return best
}

// withoutHub answers from what earlier runs kept, and says so.
func (o *Opener) withoutHub(ctx context.Context, ref model.Ref, why error) (*source.Snapshot, error) {
	kind, word := model.Unreachable, "hub unreachable"
	if errors.Is(why, source.ErrOffline) {
		kind, word = model.Absent, "offline"
	}
	if l, date, ok := o.cachedListing(ref); ok {
		s, err := o.snapshot(ctx, ref, l)
		if err != nil {
			return nil, err
		}
		s.Gaps = append(s.Gaps, model.Gap{
			What: "hub " + o.Client.Endpoint(), Kind: kind,
			Why: fmt.Sprintf("from cache of %s, %s", date, word),
		})
		return s, nil
	}
	if errors.Is(why, source.ErrOffline) {
		why = fmt.Errorf("%w, and no cache has it; run once without --offline", why)
	}
	if o.Fallback == nil {
		return nil, why
	}
	s, err := o.Fallback.Open(ctx, ref)
	if err != nil {
		return nil, why
	}
	s.Gaps = append(slices.Clone(s.Gaps), model.Gap{What: "hub " + o.Client.Endpoint(), Kind: kind, Why: "from cache, " + word})
	return s, nil
}

func (o *Opener) cachedListing(ref model.Ref) (l *listing, date string, ok bool) {
	commit := ref.Revision
	if !commitForm.MatchString(commit) {
		e, ok := o.Client.Cache().Get(o.revisionKey(ref))
		if !ok || !commitForm.Match(e.Data) {
			return nil, "", false
		}
		commit = string(e.Data)
	}
	e, ok := o.Client.Cache().Get(o.listingKey(ref, commit))
	if !ok {
		return nil, "", false
	}
	l, err := parseListing(e.Data)
	if err != nil || l.Commit != commit {
		return nil, "", false
	}
	return l, e.Stored.UTC().Format("2006-01-02"), true
}
