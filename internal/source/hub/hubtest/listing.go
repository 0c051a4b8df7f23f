package hubtest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// The shapes of the hub's API, in the order it writes them.
type (
	modelInfo struct {
		InternalID  string         `json:"_id"`
		ID          string         `json:"id"`
		Private     bool           `json:"private"`
		Pipeline    string         `json:"pipeline_tag,omitempty"`
		Library     string         `json:"library_name,omitempty"`
		Tags        []string       `json:"tags"`
		Downloads   int            `json:"downloads"`
		Likes       int            `json:"likes"`
		ModelID     string         `json:"modelId"`
		Author      string         `json:"author"`
		SHA         string         `json:"sha"`
		Modified    string         `json:"lastModified"`
		Gated       any            `json:"gated"` // false, "auto" or "manual"
		Disabled    bool           `json:"disabled"`
		ModelIndex  any            `json:"model-index"`
		Config      map[string]any `json:"config"`
		CardData    map[string]any `json:"cardData,omitempty"`
		Siblings    []sibling      `json:"siblings"`
		Spaces      []string       `json:"spaces"`
		Created     string         `json:"createdAt"`
		UsedStorage int            `json:"usedStorage"`
	}
	sibling struct {
		Name string `json:"rfilename"`
		Size *int   `json:"size,omitempty"`
		Blob string `json:"blobId,omitempty"`
		LFS  *lfs   `json:"lfs,omitempty"`
	}
	lfs struct {
		SHA256      string `json:"sha256"`
		Size        int    `json:"size"`
		PointerSize int    `json:"pointerSize"`
	}
)

func (r *repo) listing() []byte {
	card := frontMatter(r.files["README.md"])
	author, _, _ := strings.Cut(r.id, "/")
	m := modelInfo{
		InternalID: "66944f1fe0c5c2e493a804f5", ID: r.id, Private: r.get("private") != "", ModelID: r.id, Author: author,
		SHA: r.commit, Modified: "2026-10-16T22:00:37.000Z", Created: "2026-07-14T22:20:15.000Z", Gated: false,
		CardData: card, Tags: tags(card), Siblings: r.siblings(), Spaces: []string{}, Config: map[string]any{},
	}
	if g := r.get("gated"); g != "" {
		m.Gated = g
	}
	m.Pipeline, _ = card["pipeline_tag"].(string)
	m.Library, _ = card["library_name"].(string)
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and numbers of our own cannot fail
	}
	return b
}

func (r *repo) siblings() []sibling {
	out := []sibling{}
	for _, name := range r.names() {
		s := sibling{Name: name}
		if r.get("no-blobs") == "" {
			s = r.withBlob(s)
		}
		out = append(out, s)
	}
	for _, name := range r.set["extra-file"] {
		out = append(out, sibling{Name: name})
	}
	return out
}

func (r *repo) withBlob(s sibling) sibling {
	b := r.files[s.Name]
	s.Size, s.Blob = new(len(b)), blobID(b)
	if r.inLFS(s.Name) {
		sum, p := sha256.Sum256(b), pointer(b)
		s.LFS = &lfs{hex.EncodeToString(sum[:]), len(b), len(p)}
		s.Blob = blobID(p)
	}
	return s
}

// tags are those that the hub derives from a card.
func tags(card map[string]any) []string {
	out := append([]string{"transformers"}, list(card["tags"])...)
	relation, _ := card["base_model_relation"].(string)
	for _, b := range list(card["base_model"]) {
		out = append(out, "base_model:"+b)
		if relation != "" {
			out = append(out, "base_model:"+relation+":"+b)
		}
	}
	for _, l := range list(card["license"]) {
		out = append(out, "license:"+l)
	}
	return append(out, "region:us")
}

func list(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	}
	return nil
}

// frontMatter reads the plain forms that tests write: "key: value", and a key with "- item" lines below it. It is not
// YAML and needs not be: the hub reads the card for us here.
func frontMatter(readme []byte) map[string]any {
	lines := strings.Split(strings.ReplaceAll(string(readme), "\r\n", "\n"), "\n")
	if lines[0] != "---" {
		return nil
	}
	out := map[string]any{}
	key := ""
	for _, line := range lines[1:] {
		if line == "---" {
			return out
		}
		if item, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok && key != "" {
			out[key] = append(list(out[key]), unquote(item))
			continue
		}
		k, v, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, " ") || strings.HasPrefix(line, "#") {
			continue
		}
		key = strings.TrimSpace(k)
		out[key] = value(strings.TrimSpace(v))
	}
	return nil
}

func value(s string) any {
	inner, ok := strings.CutPrefix(s, "[")
	inner, ok2 := strings.CutSuffix(inner, "]")
	switch {
	case s == "":
		return []string{}
	case ok && ok2:
		var out []string
		for item := range strings.SplitSeq(inner, ",") {
			out = append(out, unquote(strings.TrimSpace(item)))
		}
		return out
	}
	return unquote(s)
}

func unquote(s string) string { return strings.Trim(s, `"'`) }
