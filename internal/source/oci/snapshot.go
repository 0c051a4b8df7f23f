package oci

import (
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// The limits on what a Snapshot holds in memory.
const (
	maxHeld = 64 << 20 // bytes of texts
	maxGaps = 200
)

// snapshot opens the artifact behind a reference.
func snapshot(ctx context.Context, ref model.Ref, reference string, s store) (*source.Snapshot, error) {
	a, err := choose(ctx, s, reference)
	if err != nil {
		return nil, err
	}
	k, ok := kindOf(a.manifest)
	if !ok {
		return nil, fmt.Errorf("it is no artifact of Ollama, ModelPack, KitOps or Docker Model Runner but %.100q: %w",
			cmp.Or(a.manifest.ArtifactType, configType(a.manifest), a.manifest.MediaType), source.ErrMalformed)
	}
	ctx, cancel := context.WithCancel(ctx)
	c := &collector{
		files: newTree(), held: newBudget(maxHeld), streamed: newBudget(maxStreamed),
		generic: map[string]int{}, sums: map[string]digest{},
	}
	c.artifact(s.blobs(ctx), k, a)
	slices.SortFunc(c.listed, func(x, y model.File) int { return strings.Compare(x.Path, y.Path) })
	return &source.Snapshot{
		Ref:      ref,
		Revision: a.digest.String(),
		FS:       c.files,
		Claims:   c.claims,
		Files:    c.listed,
		Gaps:     c.gaps,
		Close:    func() error { cancel(); return nil },
	}, nil
}

func configType(m *manifest) string {
	if m.Config == nil {
		return ""
	}
	return m.Config.MediaType
}

// artifact is the manifest of one model.
type artifact struct {
	manifest *manifest
	digest   digest
	outer    map[string]string // annotations of the index
	gaps     []model.Gap
}

// choose fetches a manifest; from an index it takes the first model.
func choose(ctx context.Context, s store, reference string) (*artifact, error) {
	data, err := s.manifest(ctx, reference)
	if err != nil {
		return nil, err
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, err
	}
	if !m.index() {
		return &artifact{manifest: m, digest: sumDigest(data)}, nil
	}
	return chooseFrom(ctx, s, m, sumDigest(data))
}

func chooseFrom(ctx context.Context, s store, index *manifest, d digest) (*artifact, error) {
	var a *artifact
	for i := range index.Manifests {
		entry := &index.Manifests[i]
		if entry.Annotations["vnd.docker.reference.type"] != "" {
			continue // a signature or provenance that a builder puts beside an image
		}
		if a == nil {
			m, digest, err := entry.open(ctx, s, d)
			if err != nil {
				return nil, err
			}
			if _, ok := kindOf(m); ok {
				a = &artifact{manifest: m, digest: digest, outer: index.Annotations}
				continue
			}
		}
		a.skip(ctx, s, entry, d)
	}
	if a == nil {
		return nil, fmt.Errorf("none of the %d manifests of the index is a model: %w",
			len(index.Manifests), source.ErrMalformed)
	}
	return a, nil
}

// open fetches the manifest that an entry of an index names. The digest of one that is written into the list itself is
// that of the list.
func (c *child) open(ctx context.Context, s store, list digest) (*manifest, digest, error) {
	if c.inline() {
		return &manifest{Config: c.Config, Layers: c.Layers, Annotations: c.Annotations}, list, nil
	}
	data, err := s.manifest(ctx, c.Digest.String())
	if err != nil {
		return nil, digest{}, err
	}
	m, err := parseManifest(data)
	if err != nil {
		return nil, digest{}, err
	}
	if m.index() {
		return nil, digest{}, fmt.Errorf("it is an index inside an index: %w", source.ErrMalformed)
	}
	return m, c.Digest, nil
}

// maxCompared is how many further manifests of an index are looked at.
const maxCompared = 8

// skip notes a manifest of an index that was not chosen. Other builds of a model, for another runner, often have the
// very same terms; that is worth a look, since a gap that may hide terms leaves the answer open.
func (a *artifact) skip(ctx context.Context, s store, entry *child, list digest) {
	if a == nil {
		return
	}
	gap := model.Gap{
		What: "manifest " + entry.Digest.String(), Kind: model.Unread,
		Why: "the index holds several models and the first was taken; name this one by its digest to check it",
	}
	if entry.inline() {
		gap.What = "another manifest in the list"
	}
	if len(a.gaps) < maxCompared {
		if m, _, err := entry.open(ctx, s, list); err == nil && slices.Equal(terms(m), terms(a.manifest)) {
			gap.Kind, gap.Why = model.Absent, "the index holds several builds with the same documents; the first was taken"
		}
	}
	a.gaps = append(a.gaps, gap)
}

// terms lists the layers of a manifest that can hold terms or claims: all but weights and what lies beside.
func terms(m *manifest) []string {
	var list []string
	for _, d := range m.Layers {
		if l := layerOf(d, nil); l.tar || l.role != weights && l.role != tensor && l.role != aside {
			list = append(list, d.MediaType+" "+l.path+" "+d.Digest.String())
		}
	}
	slices.Sort(list)
	return list
}

// collector puts together what a Snapshot shows.
type collector struct {
	facts
	files    tree
	listed   []model.File
	held     *budget           // bytes of texts
	streamed *budget           // bytes that compressed layers became
	generic  map[string]int    // how often a generic name was used
	sums     map[string]digest // of the files, to tell a copy from a contradiction
}

func (c *collector) artifact(b blobs, k kind, a *artifact) {
	c.gaps = append(c.gaps, a.gaps[:min(len(a.gaps), maxGaps)]...)
	c.annotations("index ", a.outer)
	c.annotations("", a.manifest.Annotations)
	if d := a.manifest.Config; d != nil {
		c.annotations("config ", d.Annotations)
		c.readConfig(b, k, *d)
	}
	for _, d := range a.manifest.Layers {
		c.layer(b, layerOf(d, c.paths))
	}
	if !slices.ContainsFunc(a.manifest.Layers, holdsWeights) {
		c.gap("weights", "the artifact lists no layer that is known to hold weights", model.Absent)
	}
}

func holdsWeights(d descriptor) bool {
	r := layerOf(d, nil).role
	return r == weights || r == tensor
}

func (c *collector) readConfig(b blobs, k kind, d descriptor) {
	if d.MediaType == "application/vnd.oci.empty.v1+json" {
		return
	}
	data, err := readBlob(b, d, maxConfig)
	if err == nil {
		err = c.config(k, data)
	}
	if err != nil {
		c.fault("oci config", err)
	}
}

// fault makes a gap of an error.
func (c *collector) fault(what string, err error) {
	kind := model.Unread
	if errors.Is(err, source.ErrUnreachable) || errors.Is(err, source.ErrOffline) {
		kind = model.Unreachable
	}
	c.gap(what, err.Error(), kind)
}

// layer shows one layer.
func (c *collector) layer(b blobs, l layer) {
	if name, ok := parentName(l.From); ok {
		c.gap("base model "+name, "a layer was made from it, and it is not followed; its terms may bind", model.Absent)
	}
	switch {
	case l.role == aside, l.role == tensor:
		c.aside(l)
	case l.tar:
		if err := c.walk(b, l); err != nil {
			c.fault(l.title(), err)
		}
	case l.role == unknown:
		c.list(l.title(), l.Size, l.Digest.hex)
		c.gap(l.title(), fmt.Sprintf("media type %.100q is not known", l.MediaType), model.Unread)
	default:
		c.single(b, l)
	}
}

// aside lists what lies beside the model.
func (c *collector) aside(l layer) {
	name := c.name(l)
	c.list(name, l.Size, l.Digest.hex)
	if strings.HasPrefix(l.generic, "dataset") {
		c.gap(name, "training data is packed with the model, and is not read", model.Absent)
	}
}

// single shows a layer that is one file.
func (c *collector) single(b blobs, l layer) {
	name := c.name(l)
	switch {
	case l.packed != "" && l.role == weights:
		c.list(name, -1, "")
		c.gap(name, "it is compressed, so its header cannot be read alone", model.Unread)
	case l.packed != "" || l.role == license || evidence(name):
		data, err := c.text(b, l)
		if err != nil {
			c.list(name, l.Size, l.Digest.hex)
			c.fault(name, err)
			return
		}
		c.add(name, int64(len(data)), sumDigest(data), memory(data))
	case l.Size <= model.MaxText && !weightFile(name):
		c.add(name, l.Size, l.Digest, lazyBlob(b, l.descriptor, c.held))
	default:
		c.add(name, l.Size, l.Digest, b.at(l.descriptor))
	}
}

// text reads a layer that is a text.
func (c *collector) text(b blobs, l layer) ([]byte, error) {
	if err := c.held.take(min(l.Size, model.MaxText)); err != nil {
		return nil, fmt.Errorf("more than %d bytes of texts came before it", maxHeld)
	}
	data, err := readBlob(b, l.descriptor, model.MaxText)
	if err != nil || l.packed == "" {
		return data, err
	}
	if l.packed != "gzip" {
		return nil, fmt.Errorf("it is packed with %s, which is not read", l.packed)
	}
	z, err := gzip.NewReader(memoryReader(data))
	if err != nil {
		return nil, fmt.Errorf("it is not packed with gzip: %w", err)
	}
	data, err = io.ReadAll(io.LimitReader(z, model.MaxText+1))
	if err != nil {
		return nil, err
	}
	if len(data) > model.MaxText {
		return nil, fmt.Errorf("it becomes more than %d bytes when it is unpacked", model.MaxText)
	}
	if err := c.held.take(int64(len(data))); err != nil {
		return nil, fmt.Errorf("more than %d bytes of texts came before it", maxHeld)
	}
	return data, nil
}

func memoryReader(data []byte) io.Reader {
	return io.NewSectionReader(memory(data), 0, int64(len(data)))
}

// name chooses a file's name: the path that the artifact gives if it is a good one, else a generic name. A license
// keeps a name by which it is known as one.
func (c *collector) name(l layer) string {
	err := checkName(l.path)
	if l.path != "" && err == nil && (l.role != license || promising(strings.ToLower(path.Base(l.path)))) {
		return l.path
	}
	name := c.free(l.generic)
	if l.path != "" && err != nil {
		c.gap(fmt.Sprintf("layer %.200q", l.path),
			"its name is refused: it "+err.Error()+"; it is shown as "+name, model.Unread)
	}
	return name
}

// free numbers a generic name so that it is nobody else's.
func (c *collector) free(generic string) string {
	for {
		c.generic[generic]++
		name := numbered(generic, c.generic[generic])
		if c.files[name] == nil {
			return name
		}
	}
}

func (l layer) title() string {
	if checkName(l.path) == nil {
		return l.path
	}
	return "layer " + l.Digest.String()
}

// add shows a file. Two files of one name are a contradiction, unless they are the same: which one a runtime takes is
// not for us to guess.
func (c *collector) add(name string, size int64, sum digest, at io.ReaderAt) {
	if err := c.files.add(name, size, at); err != nil {
		if old, ok := c.sums[name]; !ok || old != sum || sum == (digest{}) {
			c.gap(name, "two layers hold a file of this name, and only the first was read", model.Unread)
		}
		return
	}
	c.sums[name] = sum
	c.list(name, size, sum.hex)
}

// maxListed is how many files are listed.
const maxListed = 20_000

func (c *collector) list(name string, size int64, sum string) {
	if len(c.listed) < maxListed {
		c.listed = append(c.listed, model.File{Path: name, Size: size, SHA256: sum})
	}
}
