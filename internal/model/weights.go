package model

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/weights"
)

// maxHeaders is how many headers are read. One of each series is: a repository with a model in 25 quantizations says
// the same 25 times, and a header may come over a network.
const maxHeaders = 32

// small is the size below which a weight file is looked into whatever its series: it may be a pointer.
const small = 2 * maxPointer

const (
	maxWeights = 20_000 // weight files that are sorted into series
	maxSmall   = 500    // small ones of a series that was read which are looked into; each may cost a request
)

// readWeights counts the weight files and reads the header of one file of each series.
func (r *reader) readWeights() {
	files := r.tree.byClass[weightFile]
	for _, e := range files {
		r.count(e)
	}
	if n := len(files) - maxWeights; n > 0 {
		r.gap(Unread, "weights", "there are more than %d weight files, and %d of them were not looked at", maxWeights, n)
		files = files[:maxWeights]
	}
	first := make(map[string]string) // series to the file that was read
	var passed []string
	tiny := 0
	for _, e := range files {
		s := series(e.path)
		switch _, done := first[s]; {
		case done && e.size >= 0 && e.size <= small && tiny < maxSmall:
			tiny++
			r.readHeader(e)
		case done:
			passed = append(passed, e.path)
			r.formats[formatByName(e.path)] = true
			r.file(File{Path: e.path, Size: e.size})
		case len(first) == maxHeaders:
			passed = append(passed, e.path)
			r.gap(Unread, e.path, "its header was not read: there are more than %d different weight files", maxHeaders)
		default:
			first[s] = e.path
			r.readHeader(e)
		}
	}
	if shown := slices.DeleteFunc(passed, isShard); len(shown) > 0 {
		r.gap(Absent, some(shown), "by its name the same model as a file that was read, in another quantization; its header was not read")
	}
	r.shards()
	r.readIndexes()
	r.m.Weights.Formats = slices.Sorted(maps.Keys(r.formats))
}

func isShard(name string) bool {
	return shard.MatchString(strings.TrimSuffix(strings.ToLower(name), strings.ToLower(path.Ext(name))))
}

func (r *reader) count(e entry) {
	w := &r.m.Weights
	w.Files++
	if e.size > 0 {
		w.Bytes += e.size
	}
}

// The names of formats in Weights.Formats.
const (
	formatGGUF        = "gguf"
	formatSafetensors = "safetensors"
	formatPickle      = "pickle"
	formatOther       = "other"
)

// formatByName is the format that the ending of a file promises.
func formatByName(name string) string {
	switch ext := strings.ToLower(path.Ext(name)); ext {
	case ".gguf", ".safetensors", ".onnx", ".tflite", ".h5", ".keras", ".nemo", ".msgpack", ".ggml", ".llamafile", ".engine":
		return ext[1:]
	case ".bin", ".pt", ".pth", ".ckpt", ".pkl":
		return formatPickle
	case ".mlmodel", ".mlpackage", ".mlmodelc":
		return "coreml"
	}
	return formatOther
}

// readHeader opens one weight file, judges it by content, and reads the header of the formats that have one.
func (r *reader) readHeader(e entry) {
	promised := formatByName(e.path)
	if promised == "coreml" {
		r.formats[promised] = true
		r.file(File{Path: e.path, Size: e.size})
		return
	}
	f, err := r.fsys.Open(e.path)
	if err != nil {
		r.failed(e.path, "it could not be opened", err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	at, ok := f.(io.ReaderAt)
	switch {
	case err != nil:
		r.failed(e.path, "it could not be read", err)
	case !info.Mode().IsRegular():
		r.gap(Unread, e.path, "it is not a regular file")
	case !ok:
		r.gap(Unread, e.path, "its header was not read: the origin gives whole files only")
	default:
		r.inspect(e.path, promised, at, info)
	}
}

// inspect tells the container by the first bytes and hands over to its reader.
func (r *reader) inspect(name, promised string, f io.ReaderAt, info fs.FileInfo) {
	head := make([]byte, max(0, min(info.Size(), maxPointer)))
	n, err := f.ReadAt(head, 0)
	if head = head[:n]; err != nil && !errors.Is(err, io.EOF) {
		r.failed(name, "it could not be read", err)
		return
	}
	if p, ok := parsePointer(head); ok {
		r.unfetched(name, promised, p, info.Size())
		return
	}
	r.file(File{Path: name, Size: info.Size()})
	kind := weights.Sniff(head[:min(n, weights.Head)])
	r.formats[format(kind, promised)] = true
	r.disguised(name, promised, kind)
	switch {
	case kind == weights.GGUF:
		r.readGGUF(name, f, info.Size())
	case kind == weights.Safetensors:
		r.readSafetensors(name, f, info.Size())
	case promised == formatGGUF || promised == formatSafetensors:
		r.gap(Unread, name, "by its name it is %s, by its content %s", promised, content(kind, n))
	}
}

// disguised notes a header that is read by its content and not by what the name promises.
func (r *reader) disguised(name, promised string, kind weights.Kind) {
	is := format(kind, promised)
	if promised != formatOther && is != promised && (kind == weights.GGUF || kind == weights.Safetensors) {
		r.gap(Absent, name, "by its name it is %s, by its content %s, and was read as that; loaders may differ", promised, is)
	}
}

// unfetched notes a pointer in the place of weights. That the weights are not here is no fault of the model, but their
// header might have spoken of the license.
func (r *reader) unfetched(name, promised string, p pointer, size int64) {
	r.file(File{Path: name, Size: p.size, SHA256: p.sha256})
	r.formats[promised] = true
	if p.size > 0 {
		r.m.Weights.Bytes += p.size - size
	}
	r.gap(Absent, name, "it is a Git LFS pointer, so what the header says is not known; run git lfs pull")
}

func format(kind weights.Kind, promised string) string {
	switch kind {
	case weights.GGUF:
		return formatGGUF
	case weights.Safetensors:
		return formatSafetensors
	case weights.Pickle, weights.SevenZip:
		return formatPickle
	case weights.Zip:
		if promised == formatSafetensors || promised == formatGGUF {
			return formatPickle
		}
	case weights.Unknown, weights.Pointer: // the name decides
	}
	if promised == formatGGUF || promised == formatSafetensors {
		return formatOther
	}
	return promised
}

func content(kind weights.Kind, n int) string {
	switch {
	case n == 0:
		return "empty"
	case kind == weights.Unknown:
		return "something else"
	}
	return kind.String()
}

// shards names parts of a split model that are not there.
func (r *reader) shards() {
	parts := make(map[string]int)
	want := make(map[string]int)
	for _, e := range r.tree.byClass[weightFile] {
		ext := path.Ext(e.path)
		stem := strings.TrimSuffix(e.path, ext)
		m := shard.FindStringSubmatch(stem)
		if m == nil {
			continue
		}
		whole := strings.TrimSuffix(stem, m[0]) + ext
		parts[whole]++
		want[whole] = int(parseSize(m[2]))
	}
	for _, whole := range slices.Sorted(maps.Keys(want)) {
		if parts[whole] < want[whole] {
			r.gap(Absent, whole, "%d of its %d parts are here", parts[whole], want[whole])
		}
	}
}

// readGGUF takes license, base models and architecture from the keys of a GGUF file.
func (r *reader) readGGUF(name string, f io.ReaderAt, size int64) {
	h, err := gguf.Read(f, size)
	if err != nil {
		r.failed(name, "its header could not be read", err)
		return
	}
	for _, g := range h.Gaps { // a key of ours that was not kept is an Unread gap where it is asked for
		r.gap(Absent, name, "%s", g)
	}
	g := ggufKeys{r: r, name: name, h: h}
	g.claims()
	g.parents()
	g.datasets()
	g.shape()
}

// ggufKeys reads the general keys of one GGUF file.
type ggufKeys struct {
	r    *reader
	name string
	h    *gguf.Header
}

// text is the string under a key; a value of another type is a gap.
func (g ggufKeys) text(key string) string {
	s, _, err := g.h.String(key)
	if err != nil {
		g.r.gap(Unread, g.name+" "+key, "%v", err)
	}
	return strings.TrimSpace(s)
}

// list is the strings under a key, which may also hold one string alone.
func (g ggufKeys) list(key string) []string {
	v, ok := g.h.Get(key)
	if !ok {
		return nil
	}
	if v.Type == gguf.String {
		return []string{g.text(key)}
	}
	list, _, err := g.h.Strings(key)
	if err != nil {
		g.r.gap(Unread, g.name+" "+key, "%v", err)
	}
	return list
}

// claims takes the license. A name or an address without an id is a claim too.
func (g ggufKeys) claims() {
	c := Claim{
		Origin: FromWeights, Where: g.name + " general.license", Name: g.text("general.license.name"),
		Link: g.text("general.license.link"),
	}
	values := g.list("general.license")
	if len(values) == 0 && (c.Name != "" || c.Link != "") {
		c.Where += ".name"
		if c.Name == "" {
			c.Where = g.name + " general.license.link"
		}
		values = []string{c.Name}
	}
	for _, v := range values {
		c.Value = strings.TrimSpace(v)
		g.r.claim(c)
	}
}

const (
	maxClaims = 200     // that card and headers may make in all
	maxClaim  = 4 << 10 // bytes of one
)

func (r *reader) claim(c Claim) {
	switch {
	case c.Value == "" && c.Name == "" && c.Link == "":
	case len(r.m.Claims) >= maxClaims:
		r.gap(Unread, c.Where, "there are more than %d claims", maxClaims)
	case max(len(c.Value), len(c.Name), len(c.Link)) > maxClaim:
		r.gap(Unread, c.Where, "what it says of the license is longer than %d bytes", maxClaim)
	default:
		r.m.Claims = append(r.m.Claims, c)
	}
}

// maxBaseModels bounds general.base_model.count.
const maxBaseModels = 64

// parents takes the base models, and the repository that the file was converted from.
func (g ggufKeys) parents() {
	const key = "general.base_model.count"
	n, _, err := g.h.Uint(key)
	switch {
	case err != nil:
		g.r.gap(Unread, g.name+" "+key, "%v", err)
	case n > maxBaseModels:
		g.r.gap(Unread, g.name+" "+key, "it names %d base models, and only %d are read", n, maxBaseModels)
		n = maxBaseModels
	}
	rel := Derived
	if n > 1 {
		rel = Merge
	}
	for i := range n {
		g.numbered(fmt.Sprintf("general.base_model.%d.", i), func(name, where string) { g.r.parent(name, rel, where) },
			"a base model is counted and not named")
	}
	for _, key := range []string{"general.source.huggingface.repository", "general.source.repo_url", "general.source.url"} {
		if s := g.text(key); s != "" {
			g.r.parent(s, Quantized, g.name+" "+key)
		}
	}
}

// numbered takes the best name under a prefix: the address of the repository, organization and name, the name alone.
func (g ggufKeys) numbered(prefix string, take func(name, where string), missing string) {
	org, name := g.text(prefix+"organization"), g.text(prefix+"name")
	switch url := g.text(prefix + "repo_url"); {
	case url != "":
		take(url, g.name+" "+prefix+"repo_url")
	case name != "" && org != "":
		take(repoName(org, name), g.name+" "+prefix+"name")
	case name != "":
		take(name, g.name+" "+prefix+"name")
	case missing != "":
		g.r.gap(Unread, g.name+" "+strings.TrimSuffix(prefix, "."), "%s", missing)
	}
}

// repoName puts together what the converter of llama.cpp took apart: it writes "Meta Llama" for meta-llama and
// "Llama 3.1 8B" for Llama-3.1-8B.
func repoName(org, name string) string {
	repo := strings.ReplaceAll(org, " ", "-") + "/" + strings.ReplaceAll(name, " ", "-")
	if validRepo(repo) {
		return repo
	}
	return org + " " + name
}

func (g ggufKeys) datasets() {
	add := func(name, _ string) {
		name = strings.TrimPrefix(strings.TrimSpace(name), "https://huggingface.co/datasets/")
		if name != "" && !slices.Contains(g.r.m.Datasets, name) {
			g.r.m.Datasets = append(g.r.m.Datasets, name)
		}
	}
	for _, d := range g.list("general.datasets") {
		add(d, "")
	}
	n, _, err := g.h.Uint("general.dataset.count")
	if err != nil {
		g.r.gap(Unread, g.name+" general.dataset.count", "%v", err)
	}
	for i := range min(n, maxBaseModels) {
		g.numbered(fmt.Sprintf("general.dataset.%d.", i), add, "")
	}
}

// shape takes the architecture where no config.json gave one, and whether the file is a part for images or sound.
func (g ggufKeys) shape() {
	w := &g.r.m.Weights
	arch := g.h.Architecture()
	if arch == "clip" || g.text("general.type") == "mmproj" {
		w.Multimodal = new(true)
		return
	}
	if w.Architecture == "" {
		w.Architecture = arch
	}
}
