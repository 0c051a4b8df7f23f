package model

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/llmcheck/llmcheck/internal/records"
)

// readCards reads the model card. Of several spellings of its name the hub's own comes first, the others are gaps.
func (r *reader) readCards() {
	cards := r.tree.byClass[cardFile]
	slices.SortStableFunc(cards, func(a, b entry) int { return preferred(a.path) - preferred(b.path) })
	for i, e := range cards {
		if i > 0 {
			r.gap(Unread, e.path, "there is a second card, and only %s was read", cards[0].path)
			continue
		}
		r.readCard(e)
	}
}

func preferred(name string) int {
	if name == "README.md" {
		return 0
	}
	return 1
}

func (r *reader) readCard(e entry) {
	data, cut, ok := r.load(e, maxCard)
	if !ok {
		return
	}
	if cut {
		r.gap(Unread, e.path, "it is longer than %d bytes, and only these were read", int64(maxCard))
	}
	data = plain(data)
	front, err := splitFront(data)
	c := &Card{Path: e.path, Body: front.body, BodyLine: front.bodyLine}
	c.LicenseSection = licenseSection(c.Body, c.BodyLine)
	r.m.Card = c
	what := e.path + " front matter"
	switch {
	case err != nil:
		r.gap(Unread, what, "%v", err)
	case front.yaml == nil:
		r.gap(Absent, what, "the card begins with text, so it declares no license and no base model")
	default:
		r.readFront(what, front)
	}
}

// readFront decodes the front matter. If it cannot be decoded nothing is taken from it, because a reader that goes on
// by guessing and the hub would see two different cards.
func (r *reader) readFront(what string, front front) {
	c := r.m.Card
	// The blank lines in front make the lines of the YAML those of the file.
	keys, err := records.Keys(c.Path, append(bytes.Repeat([]byte{'\n'}, front.yamlLine-1), front.yaml...))
	if err != nil {
		r.gap(Unread, what, "%v", err)
		return
	}
	get := func(key string) []records.Value {
		if keys[key].Odd {
			r.gap(Unread, fmt.Sprintf("%s:%d %s", c.Path, keys[key].Line, key), "it holds something else than text or a list of texts")
		}
		return keys[key].Values
	}
	r.nearKeys(keys)
	license := get("license")
	c.License = texts(license)
	c.LicenseName, c.LicenseLink = first(get("license_name")), first(get("license_link"))
	c.BaseModels, c.Relation = texts(get("base_model")), first(get("base_model_relation"))
	c.Datasets, c.Tags = texts(get("datasets")), texts(get("tags"))
	c.Pipeline, c.Library = first(get("pipeline_tag")), first(get("library_name"))
	if prompt := first(get("extra_gated_prompt")); prompt != "" {
		c.GatedPrompt = &Section{Text: prompt, Line: keys["extra_gated_prompt"].Line}
	}
	r.m.Datasets = slices.Clone(c.Datasets)
	r.claimCard(license, keys)
	for _, v := range keys["base_model"].Values {
		r.parent(v.Text, Relation(c.Relation), fmt.Sprintf("%s:%d", c.Path, v.Line))
	}
	r.linkedText(c)
}

// nearKeys reports keys that a person takes for one of those that count and a program does not: License, license-name,
// licenses. Where such a key says something else than the one that counts, it is not for us to choose.
func (r *reader) nearKeys(keys map[string]records.Key) {
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		k, meant := keys[name], near(name)
		switch {
		case meant == "", meant == name, !k.Odd && len(k.Values) == 0:
		case !k.Odd && slices.EqualFunc(texts(k.Values), texts(keys[meant].Values), strings.EqualFold):
		default:
			r.gap(Unread, fmt.Sprintf("%s:%d %s", r.m.Card.Path, k.Line, name),
				"hubs read the key %s and not this one, which says something else: find out what is meant", meant)
		}
	}
}

// near is the key that counts and that a key is easily taken for; "" if there is none.
func near(key string) string {
	if len(key) > 32 {
		return ""
	}
	switch strings.Map(letter, key) {
	case "license", "licence", "licenses", "licences":
		return "license"
	case "licensename", "licencename":
		return "license_name"
	case "licenselink", "licencelink":
		return "license_link"
	case "basemodel", "basemodels":
		return "base_model"
	}
	return ""
}

// letter is a letter without its case, by way of the upper case, which the long s shares with s; others fall away.
func letter(c rune) rune {
	if !unicode.IsLetter(c) {
		return -1
	}
	return unicode.ToLower(unicode.ToUpper(c))
}

func texts(vs []records.Value) []string {
	var out []string
	for _, v := range vs {
		if t := strings.TrimSpace(v.Text); t != "" {
			out = append(out, t)
		}
	}
	return out
}

func first(vs []records.Value) string {
	if ts := texts(vs); len(ts) > 0 {
		return ts[0]
	}
	return ""
}

// claimCard makes one claim of each declared license. A name or a link without a license is a claim too.
func (r *reader) claimCard(license []records.Value, keys map[string]records.Key) {
	c := r.m.Card
	for _, v := range license {
		claim := Claim{Origin: FromCard, Where: fmt.Sprintf("%s:%d", c.Path, v.Line), Value: strings.TrimSpace(v.Text)}
		if len(license) == 1 || strings.EqualFold(claim.Value, "other") {
			claim.Name, claim.Link = c.LicenseName, c.LicenseLink
		}
		r.claim(claim)
	}
	if len(license) > 0 {
		return
	}
	if c.LicenseName != "" || c.LicenseLink != "" {
		key := "license_name"
		if c.LicenseName == "" {
			key = "license_link"
		}
		r.claim(Claim{
			Origin: FromCard, Where: fmt.Sprintf("%s:%d", c.Path, keys[key].Line),
			Value: c.LicenseName, Name: c.LicenseName, Link: c.LicenseLink,
		})
		return
	}
	if !keys["license"].Odd {
		r.gap(Absent, c.Path+" license", "the front matter declares no license")
	}
}

// linkedText adds the file that license_link names to the texts, if it is one of the model's own that the names of
// files alone would not have told.
func (r *reader) linkedText(c *Card) {
	name := r.ownFile(c.LicenseLink)
	if name == "" || !fs.ValidPath(name) || name == "." || slices.ContainsFunc(r.terms(), func(e entry) bool {
		return strings.EqualFold(e.path, name)
	}) {
		return
	}
	info, err := fs.Stat(r.fsys, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && info.IsDir():
		r.gap(Absent, name, "license_link in %s names it, and there is no such file", c.Path)
		return
	case err != nil:
		r.failed(name, "license_link names it, and it could not be read", err)
		return
	}
	k := termsFile
	if sealedEnding(strings.ToLower(path.Ext(name))) {
		k = sealed
	}
	r.add(k, entry{path: name, size: info.Size(), kind: LicenseText})
	r.tree.deep = slices.DeleteFunc(r.tree.deep, func(s string) bool { return s == name })
}

func (r *reader) terms() []entry {
	return slices.Concat(r.tree.byClass[termsFile], r.tree.byClass[sealed], r.tree.byClass[cardFile])
}

// ownFile is the file of this model that a link names: a relative one, or one of the hub that leads back here.
func (r *reader) ownFile(link string) string {
	if link == "" || strings.HasPrefix(link, "#") {
		return ""
	}
	if rest, ok := strings.CutPrefix(link, "https://huggingface.co/"+r.m.Ref.Name+"/"); ok && r.m.Ref.Scheme == SchemeHub {
		_, rest, _ = strings.Cut(rest, "/") // blob, resolve or raw
		_, file, _ := strings.Cut(rest, "/")
		link = file
	}
	if strings.Contains(link, ":") || strings.Contains(link, `\`) || len(link) > 512 {
		return ""
	}
	link, _, _ = strings.Cut(link, "#")
	return strings.TrimPrefix(path.Clean(strings.TrimPrefix(link, "/")), "./")
}

// front is a card taken apart.
type front struct {
	yaml     []byte // nil if there is no front matter
	yamlLine int    // the line of the file on which yaml starts
	body     []byte
	bodyLine int
}

// splitFront divides a card as the hub does: the front matter lies between a first line --- and the next line ---. A
// byte order mark and blank lines before it do not matter.
func splitFront(data []byte) (front, error) {
	rest := bytes.TrimPrefix(data, []byte("\ufeff"))
	line := 1
	for len(rest) > 0 {
		text, next := cutLine(rest)
		if t := bytes.TrimSpace(text); len(t) > 0 {
			if string(t) != "---" {
				break
			}
			return cutFront(next, line+1)
		}
		rest, line = next, line+1
	}
	return front{body: bytes.TrimPrefix(data, []byte("\ufeff")), bodyLine: 1}, nil
}

func cutFront(yaml []byte, start int) (front, error) {
	rest, line := yaml, start
	for len(rest) > 0 {
		text, next := cutLine(rest)
		if string(bytes.TrimRight(text, " \t")) == "---" {
			n := len(yaml) - len(rest)
			f := front{yaml: yaml[:n:n], yamlLine: start, body: next, bodyLine: line + 1}
			if len(text) > len("---") && declares(next) {
				return f, errors.New("blanks follow the closing line ---, and hubs read on to the next one: more keys stand there, " +
					"so nothing was taken from it")
			}
			return f, nil
		}
		rest, line = next, line+1
	}
	return front{body: yaml, bodyLine: start}, errors.New("the closing line --- is missing, so nothing was taken from it")
}

// declares tells whether keys that count stand before the next line --- of a text.
func declares(text []byte) bool {
	for len(text) > 0 {
		line, next := cutLine(text)
		if string(line) == "---" {
			return false
		}
		key, _, found := bytes.Cut(line, []byte(":"))
		if found && near(strings.Trim(string(key), ` "'`)) != "" {
			return true
		}
		text = next
	}
	return false
}

// cutLine returns the first line without its end, and the rest. Ends are LF, CRLF and a lone CR, as in YAML.
func cutLine(data []byte) (line, rest []byte) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0:
		return data, nil
	case data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n':
		return data[:i], data[i+2:]
	}
	return data[:i], data[i+1:]
}

func opensFront(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	line, _ := cutLine(head)
	return string(bytes.TrimSpace(line)) == "---"
}
