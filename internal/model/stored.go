package model

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/safetensors"
)

// stored reads the headers of the weight files of the main model.
type stored struct {
	*reader
	quant string
	out   Stored
}

func (s *stored) read() {
	safe, ggufs, others := s.sorted()
	chosen, listed := s.chooseGGUF(ggufs, len(safe) > 0)
	switch {
	case len(chosen) > 0:
		s.copies(safe, others)
		s.readParts(chosen)
	case len(safe) > 0:
		s.copies(ggufs, others)
		s.readSafe(s.main(safe))
	case len(s.tree.byClass[indexFile]) > 0:
		s.bySum(nil)
	case len(others) > 0 && !listed:
		s.bySizes(errors.New("they have no header that was read"), others)
	}
}

// sorted tells the weight files apart by what loads them: safetensors, GGUF, and pickles of the same model.
func (s *stored) sorted() (safe, ggufs, others []entry) {
	files := s.tree.byClass[weightFile]
	if n := len(files) - maxWeights; n > 0 {
		s.gap(Unread, "weights", "there are more than %d weight files, and %d of them were not looked at", maxWeights, n)
		files = files[:maxWeights]
	}
	for _, e := range files {
		s.count(e)
		format := formatByName(e.path)
		s.formats[format] = true
		switch {
		case format == formatSafetensors || s.alone() && s.begins(e, "safetensors"):
			safe = append(safe, e)
		case format == formatGGUF || s.alone() && s.begins(e, "gguf"):
			ggufs = append(ggufs, e)
		default:
			others = append(others, e)
		}
	}
	return safe, ggufs, others
}

// begins tells a file that was named alone by its content, whatever its name.
func (s *stored) begins(e entry, kind string) bool {
	head, _, err := s.readFile(e.path, 16)
	if err != nil {
		return false
	}
	if kind == formatGGUF {
		return bytes.HasPrefix(head, []byte("GGUF"))
	}
	return len(head) > 8 && head[8] == '{' && bytes.Equal(head[4:8], make([]byte, 4))
}

func (s *stored) copies(lists ...[]entry) {
	for _, list := range lists {
		for _, e := range list {
			s.out.Copies = append(s.out.Copies, e.path)
		}
	}
}

// main is the safetensors files that a loader takes: those that the index of the root names, else those of the root,
// else those of the folder that holds most. The others are copies.
func (s *stored) main(safe []entry) []entry {
	folder := s.mainFolder(safe)
	var here []entry
	for _, e := range safe {
		if path.Dir(e.path) == folder {
			here = append(here, e)
			continue
		}
		s.copies([]entry{e})
	}
	if names := s.indexed(folder); names != nil {
		return s.keep(here, func(e entry) bool { return names[e.path] })
	}
	return s.keep(here, inSeries(here))
}

func (s *stored) mainFolder(safe []entry) string {
	bytes := make(map[string]int64)
	for _, e := range safe {
		if path.Dir(e.path) == "." {
			return "."
		}
		bytes[path.Dir(e.path)] += max(e.size, 0)
	}
	best := path.Dir(safe[0].path)
	for _, e := range safe {
		if dir := path.Dir(e.path); bytes[dir] > bytes[best] {
			best = dir
		}
	}
	return best
}

// keep sorts out what is a copy. Where nothing is left, the rule did not fit, and all is kept.
func (s *stored) keep(list []entry, keep func(entry) bool) []entry {
	var kept, rest []entry
	for _, e := range list {
		if keep(e) {
			kept = append(kept, e)
		} else {
			rest = append(rest, e)
		}
	}
	if len(kept) == 0 {
		return list
	}
	s.copies(rest)
	return kept
}

// indexed are the files that the index of a folder names, nil without one.
func (s *stored) indexed(folder string) map[string]bool {
	x, e := s.index(folder)
	if x == nil {
		return nil
	}
	names := make(map[string]bool, len(x.Shards))
	for _, shard := range x.Shards {
		names[path.Join(path.Dir(e.path), shard)] = true
	}
	return names
}

// index is that of the main model in a folder: model.safetensors.index.json before any other.
func (s *stored) index(folder string) (*safetensors.Index, entry) {
	var found []entry
	for _, e := range s.tree.byClass[indexFile] {
		if path.Dir(e.path) == folder {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b entry) int { return cmp.Compare(rank(a.path), rank(b.path)) })
	for _, e := range found {
		if data, cut, ok := s.load(e, maxConfig); ok && !cut {
			x, err := safetensors.ReadIndex(bytes.NewReader(data))
			if err == nil {
				return x, e
			}
			s.gap(Unread, e.path, "it is no index of weights: %v", err)
		} else if cut {
			s.gap(Unread, e.path, "it is longer than %d bytes, and was not read", int64(maxConfig))
		}
	}
	return nil, entry{}
}

// rank puts the names that loaders know before others, and what Mistral's own loader takes last.
func rank(name string) int {
	switch base := strings.ToLower(path.Base(name)); {
	case strings.HasPrefix(base, "model.safetensors"), strings.HasPrefix(base, "model-0"):
		return 0
	case strings.HasPrefix(base, "adapter"):
		return 2
	case strings.HasPrefix(base, "consolidated"):
		return 3
	}
	return 1
}

// inSeries keeps the files of the best rank. Of the two names that model has, whole and in shards, the longer one is
// kept.
func inSeries(list []entry) func(entry) bool {
	best := math.MaxInt
	for _, e := range list {
		best = min(best, rank(e.path))
	}
	if best > 0 {
		return func(e entry) bool { return rank(e.path) == best }
	}
	var whole, shards int64
	for _, e := range list {
		switch {
		case rank(e.path) != 0:
		case isShard(e.path):
			shards += max(e.size, 0)
		default:
			whole += max(e.size, 0)
		}
	}
	return func(e entry) bool { return rank(e.path) == 0 && isShard(e.path) == (shards > whole) }
}

// incomplete is how many parts of a split model are missing among the files.
func incomplete(files []entry) int {
	want, have := 0, 0
	for _, e := range files {
		stem := strings.TrimSuffix(strings.ToLower(e.path), strings.ToLower(path.Ext(e.path)))
		if m := shard.FindStringSubmatch(stem); m != nil {
			want, have = max(want, int(parseSize(m[2]))), have+1
		}
	}
	return max(0, want-have)
}

// readSafe reads the headers of the safetensors files, or takes the sum of the index where they do not come.
func (s *stored) readSafe(files []entry) {
	if len(files) > maxShapeHeaders {
		s.bySum(fmt.Errorf("there are %d weight files, and at most %d headers are read", len(files), maxShapeHeaders), files...)
		return
	}
	if n := incomplete(files); n > 0 {
		s.bySum(fmt.Errorf("%d of the parts are not here: %w", n, errParts), files...)
		return
	}
	for _, e := range files {
		if err := s.safeHeader(e); err != nil {
			s.out.Tensors = nil
			s.bySum(fmt.Errorf("%s: %w", e.path, err), files...)
			return
		}
	}
	s.finish(fmt.Sprintf("%d safetensors headers", len(files)))
}

var (
	errWhole   = errors.New("the origin gives whole files only")
	errPointer = errors.New("it is a Git LFS pointer; run git lfs pull")
	errParts   = errors.New("fetch all parts")
	errMany    = fmt.Errorf("the headers list more than %d tensors", maxStored)
)

// header opens a weight file for a reader of its header.
func (s *stored) header(e entry, read func(f io.ReaderAt, size int64) error) error {
	f, err := s.fsys.Open(e.path)
	if err != nil {
		return cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return cause(err)
	}
	at, ok := f.(io.ReaderAt)
	switch {
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case !ok:
		return errWhole
	}
	s.file(File{Path: e.path, Size: info.Size()})
	if info.Size() <= maxPointer {
		head := make([]byte, info.Size())
		if n, err := at.ReadAt(head, 0); err == nil || errors.Is(err, io.EOF) {
			if _, is := parsePointer(head[:n]); is {
				return errPointer
			}
		}
	}
	return read(at, info.Size())
}

func (s *stored) safeHeader(e entry) error {
	return s.header(e, func(f io.ReaderAt, size int64) error {
		h, err := safetensors.Read(f, size)
		if err != nil {
			return err
		}
		if len(s.out.Tensors)+len(h.Tensors) > maxStored {
			return errMany
		}
		for _, t := range h.Tensors {
			shape, ok := signed(t.Shape)
			if !ok {
				return fmt.Errorf("tensor %.80q has a shape that no file can hold", t.Name)
			}
			s.out.Tensors = append(s.out.Tensors, StoredTensor{t.Name, string(t.DType), shape, int64(t.End - t.Begin)})
		}
		return nil
	})
}

func signed(shape []uint64) ([]int64, bool) {
	out := make([]int64, len(shape))
	for i, n := range shape {
		if n > math.MaxInt64 {
			return nil, false
		}
		out[i] = int64(n)
	}
	return out, true
}

// finish sums up what was read.
func (s *stored) finish(where string) {
	slices.SortStableFunc(s.out.Tensors, func(a, b StoredTensor) int { return cmp.Compare(a.Name, b.Name) })
	sizes := make([]int64, len(s.out.Tensors))
	for i, t := range s.out.Tensors {
		sizes[i] = t.Bytes
		if i > 0 && t.Name == s.out.Tensors[i-1].Name {
			s.gap(Unread, "weights", "tensor %.80q is in two of the files, and both were counted", t.Name)
		}
	}
	sum, ok := total(sizes)
	if !ok {
		s.gap(Unread, "weights", "the tensors of the headers sum up to more than any file has")
		return
	}
	s.out.Bytes, s.out.Where = sum, where
	s.done()
}

func (s *stored) done() {
	slices.Sort(s.out.Copies)
	s.m.Stored = &s.out
}

// bySum takes the sum that an index states, or that of the sizes of the files, in place of headers that were not read.
func (s *stored) bySum(why error, files ...entry) {
	kind := Unread
	if errors.Is(why, ErrUnreachable) {
		kind = Unreachable
	}
	folder := "."
	if len(files) > 0 {
		folder = path.Dir(files[0].path)
	}
	x, e := s.index(folder)
	switch {
	case x != nil && x.TotalSize != nil && *x.TotalSize <= math.MaxInt64/2:
		s.out.Bytes, s.out.Where = int64(*x.TotalSize), e.path
		if why != nil {
			s.gap(Absent, "weights", "the tensors were not read one by one: %v; the sum is that of %s", why, e.path)
		}
		s.done()
	case x != nil:
		s.gap(kind, e.path, "it states no metadata.total_size that could be used, and the headers were not read")
	case broken(why):
		s.gap(kind, "weights", "the tensors are not known: %v", why)
	case len(files) > 0:
		s.bySizes(why, files)
	}
}

// broken tells a file that contradicts itself or is not whole, whose size says nothing, from one that did not come.
func broken(why error) bool {
	_, malformed := errors.AsType[*safetensors.Error](why)
	return malformed || errors.Is(why, errParts) || errors.Is(why, errMany)
}

// bySizes takes the sizes of the files, as they are listed or as their pointers say.
func (s *stored) bySizes(why error, files []entry) {
	files = slices.DeleteFunc(slices.Clone(files), func(e entry) bool { return path.Dir(e.path) != path.Dir(files[0].path) })
	sizes := make([]int64, len(files))
	for i, e := range files {
		sizes[i] = e.size
		if e.size >= 0 && e.size <= maxPointer {
			if data, _, err := s.readFile(e.path, maxPointer); err == nil {
				if p, is := parsePointer(data); is {
					sizes[i] = p.size
				}
			}
		}
	}
	sum, ok := total(sizes)
	if !ok || sum == 0 {
		s.gap(Unread, "weights", "neither the tensors nor the sizes of the weight files are known: %v", why)
		return
	}
	s.gap(Absent, "weights", "the tensors were not read one by one: %v; the sum is that of the sizes of %d files", why, len(files))
	s.out.Bytes, s.out.Where = sum, fmt.Sprintf("sizes of %d files", len(files))
	s.done()
}

// variant is one model among the GGUF files: a file, or all parts of a split one.
type variant struct {
	name  string
	parts []entry
	want  int // parts that the name promises
}

// chooseGGUF picks the GGUF files to read. With safetensors beside them, they are read only if asked for by name.
func (s *stored) chooseGGUF(files []entry, beside bool) (parts []entry, listed bool) {
	all := s.variants(files)
	fit := all
	if s.quant != "" && len(all) > 1 || beside {
		fit = slices.DeleteFunc(slices.Clone(all), func(v variant) bool { return !inName(v.name, s.quant) })
	}
	switch {
	case len(all) == 0 || beside && len(fit) != 1:
		return nil, false
	case len(fit) != 1:
		s.several(all)
		return nil, true
	}
	for _, v := range all {
		if v.name != fit[0].name {
			s.copies(v.parts)
		}
	}
	if v := fit[0]; len(v.parts) != v.want {
		s.gap(Unread, v.name, "%d of its %d parts are here, so its size is not known; fetch the others", len(v.parts), v.want)
		return nil, true
	}
	return fit[0].parts, false
}

// variants groups the files; projectors for images and matrices of importance are no models of their own.
func (s *stored) variants(files []entry) []variant {
	at := make(map[string]int)
	var out []variant
	for _, e := range files {
		base := strings.ToLower(path.Base(e.path))
		if !s.alone() && (strings.Contains(base, "mmproj") || strings.Contains(base, "imatrix")) {
			s.gap(Absent, e.path, "it is no language model, and was not counted")
			continue
		}
		name, want := e.path, 1
		if split, ok := gguf.ParseSplitName(e.path); ok {
			name, want = split.Base+".gguf", split.Count
		}
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, variant{name: name, want: want})
		}
		out[i].parts = append(out[i].parts, e)
	}
	return out
}

// several lists the quantizations to choose from.
func (s *stored) several(all []variant) {
	const most = 40
	var names []string
	for _, v := range all[:min(most, len(all))] {
		names = append(names, v.name)
	}
	if n := len(all) - most; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	s.gap(Unread, "weights", "there are %d GGUF models here, and it was not said which one is meant; name its quantization with --quant, or the file: %s",
		len(all), strings.Join(names, ", "))
}

// inName reports whether the name of a file has the quantization in it as a word of its own: Q4_K is not in Q4_K_M.
func inName(name, quant string) bool {
	if quant == "" {
		return false
	}
	name, quant = strings.ToLower(name), strings.ToLower(quant)
	for rest := name; ; {
		i := strings.Index(rest, quant)
		if i < 0 {
			return false
		}
		before, after := byte('-'), byte('-')
		if i > 0 {
			before = rest[i-1]
		}
		if end := i + len(quant); end < len(rest) {
			after = rest[end]
		}
		if !wordByte(before) && !wordByte(after) {
			return true
		}
		rest = rest[i+1:]
	}
}

func wordByte(b byte) bool { return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' }

// readParts reads the headers of all parts of a GGUF model.
func (s *stored) readParts(parts []entry) {
	if len(parts) > maxShapeHeaders {
		s.gap(Unread, parts[0].path, "it has %d parts, and at most %d headers are read", len(parts), maxShapeHeaders)
		return
	}
	for i, e := range parts {
		if err := s.ggufPart(e, i); err != nil {
			kind := Unread
			if errors.Is(err, ErrUnreachable) {
				kind = Unreachable
			}
			s.gap(kind, e.path, "its header could not be read: %v", err)
			return
		}
	}
	s.finish(fmt.Sprintf("%d GGUF headers", len(parts)))
	s.promised(len(parts))
}

func (s *stored) ggufPart(e entry, i int) error {
	return s.header(e, func(f io.ReaderAt, size int64) error {
		h, err := gguf.Read(f, size)
		if err != nil {
			return err
		}
		for _, g := range h.Gaps {
			s.gap(Absent, e.path, "%s", g)
		}
		if i == 0 {
			s.m.GGUF = h
			s.m.Weights.Architecture = cmp.Or(s.m.Weights.Architecture, h.Architecture())
		}
		if len(s.out.Tensors)+len(h.Tensors) > maxStored {
			return errMany
		}
		return s.takeTensors(h)
	})
}

func (s *stored) takeTensors(h *gguf.Header) error {
	for _, t := range h.Tensors {
		shape, ok := signed(t.Dims)
		switch {
		case !ok || t.Bytes > math.MaxInt64:
			return fmt.Errorf("tensor %.80q has a shape that no file can hold", t.Name)
		case !t.Type.Known():
			return fmt.Errorf("tensor %.80q is of %s, whose size is not known", t.Name, t.Type)
		}
		s.out.Tensors = append(s.out.Tensors, StoredTensor{t.Name, t.Type.String(), shape, int64(t.Bytes)})
	}
	return nil
}

// promised holds the tensors that were found against the number that the first part of a split file states.
func (s *stored) promised(parts int) {
	if s.m.GGUF == nil || s.m.Stored == nil {
		return
	}
	split, ok, err := s.m.GGUF.Split()
	switch {
	case err != nil:
		s.gap(Unread, "weights", "%v", err)
	case ok && (split.Count != uint64(parts) || split.Tensors > 0 && split.Tensors != uint64(len(s.out.Tensors))):
		s.gap(Unread, "weights", "the first part promises %d parts with %d tensors, and %d parts with %d tensors were read; fetch all parts",
			split.Count, split.Tensors, parts, len(s.out.Tensors))
		s.m.Stored = nil
	case !ok && parts > 1:
		s.gap(Absent, "weights", "its name says that it is split, and its header does not")
	}
}
