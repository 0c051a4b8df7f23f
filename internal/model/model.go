// Package model holds what is known about one model, whatever its origin: a folder, a hub, a registry, one file.
// Read fills a Model from an fs.FS; it judges nothing. Every statement about a license stays a separate Claim with the
// place it was found, and whatever was looked for and not found is a Gap, so that nobody mistakes absence for a fact.
package model

import (
	"errors"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// Model is one model at one revision.
type Model struct {
	Ref      Ref
	Revision string // commit or digest; "" only for a folder or file without one
	Card     *Card  // front matter and text of the README; nil if there is none
	Texts    []Text // LICENSE, NOTICE, USE_POLICY and the like, in order of name
	Claims   []Claim
	Parents  []Parent
	Datasets []string // training data sets that the card names
	Weights  Weights
	Files    []File // what was read or listed, in order of name
	// RemoteCode is the code that loading the model with trust would run, as the configuration names it:
	// "modeling_x.py XForCausalLM (config.json auto_map.AutoModel)".
	RemoteCode []string
	Gaps       []Gap

	Config  strictjson.Value // config.json; null if there is none
	Quant   strictjson.Value // hf_quant_config.json, which some files have beside it
	Adapter strictjson.Value // adapter_config.json
	GGUF    *gguf.Header     // of the first part of the main GGUF file; nil if there is none
	Stored  *Stored          // the tensors that the weight files list; nil if nothing of them is known
}

// Stored is what the headers or the index of the weight files of the main model say; copies for other programs
// (original/, metal/, a .bin beside its .safetensors) are left out and named in Copies.
type Stored struct {
	Tensors []StoredTensor // in order of name; empty if only the sum is known
	Bytes   int64          // of all tensors, without headers
	Where   string         // "163 safetensors headers", "model.safetensors.index.json", "3 GGUF headers"
	Copies  []string
}

// StoredTensor is one tensor as a header describes it.
type StoredTensor struct {
	Name  string
	Type  string // as the format spells it: BF16, F8_E4M3, Q4_K
	Shape []int64
	Bytes int64
}

// Card is a model card: YAML front matter and Markdown.
type Card struct {
	Path        string
	License     []string // the license field; a list is allowed by the hub
	LicenseName string
	LicenseLink string
	BaseModels  []string
	Relation    string // base_model_relation: finetune, adapter, quantized, merge
	Datasets    []string
	Tags        []string
	Pipeline    string // pipeline_tag, which tells text from multimodal models
	Library     string // library_name
	Body        []byte // the Markdown below the front matter
	BodyLine    int    // the line of the file on which Body starts, counted from 1
	// LicenseSection is the part of Body under a heading that speaks of the license. It is a mention and no claim.
	LicenseSection *Section
	GatedPrompt    *Section // extra_gated_prompt: what the hub shows to those who ask for access, often the terms
}

// Section is a part of a card's Markdown, from its heading to the next of the same rank.
type Section struct {
	Text string // heading included; at most MaxSection bytes
	Line int    // of the heading in the file, counted from 1
}

// MaxSection is how much of a section is kept, in bytes.
const MaxSection = 16 << 10

// Text is a file that holds, or may hold, terms.
type Text struct {
	Path   string
	Kind   TextKind
	Data   []byte // at most the first MaxText bytes; UTF-16 is turned into UTF-8
	Cut    bool   // true if the file is longer than that
	SHA256 string // hex digest of the bytes read, before any conversion; of the whole file unless Cut
}

// TextKind says what the name of a file promises.
type TextKind string

// The kinds of text files that can hold terms.
const (
	LicenseText TextKind = "license"
	NoticeText  TextKind = "notice"
	PolicyText  TextKind = "policy"
)

// MaxText is how much of one license text is judged, in bytes.
const MaxText = 8 << 20

// Origin says which part of a model makes a claim.
type Origin string

// The origins of claims, in the words of the JSON contract.
const (
	FromCard      Origin = "card"
	FromFile      Origin = "file"
	FromWeights   Origin = "weights"
	FromBaseModel Origin = "base_model"
	FromCatalog   Origin = "catalog"
	FromRegistry  Origin = "registry" // what a hub or registry says beside the files: tags, annotations, config fields
)

// Claim is one statement about the license, word for word as it was found.
type Claim struct {
	Origin Origin
	Where  string // file and line or key: "README.md:3", "model.gguf general.license", "oci config licenses"
	Value  string // the identifier, name or expression as written
	Name   string // license_name beside "other", or the long name beside a GGUF license
	Link   string // license_link, or the address beside a GGUF license; never fetched
}

// Relation is how a model came from its parent.
type Relation string

// The relations that the hub knows, and those that catalogs and weights add.
const (
	Finetune  Relation = "finetune"
	Adapter   Relation = "adapter"
	Quantized Relation = "quantized"
	Merge     Relation = "merge"
	Distill   Relation = "distill"
	Pruned    Relation = "pruned"
	Copy      Relation = "copy"
	Derived   Relation = "derived" // a parent is named, how is not
)

// Parent is a base model that the model names.
type Parent struct {
	Ref      string // as written: org/name, an address, a local path
	Relation Relation
	Where    string // the place that names it
}

// Weights is what the headers of weight files say.
type Weights struct {
	Formats      []string // safetensors, gguf, pickle ...; sorted
	Architecture string   // general.architecture or the first of config.json's architectures
	ModelType    string   // config.json's model_type
	Multimodal   *bool    // the configuration has an image, audio or video part; nil if there was nothing to tell
	Files        int      // how many weight files there are
	Bytes        int64    // their size in all; 0 if not known
}

// File is one file of the model.
type File struct {
	Path   string
	Size   int64  // -1 if not known
	SHA256 string // hex; "" if not computed or published
}

// Gap is something that was looked for and could not be had.
type Gap struct {
	What string // the file, key or source
	Why  string // what stood in the way, and what would mend it
	Kind GapKind
}

// ErrUnreachable is wrapped by the errors of a file system whose files come from elsewhere, when the other side did not
// answer. Read makes gaps of the kind Unreachable of them.
var ErrUnreachable = errors.New("source did not answer")

// GapKind says what follows from a gap.
type GapKind string

// The kinds of gaps.
const (
	// Absent is something a model may lack: no card, no license file.
	Absent GapKind = "absent"
	// Unread is something that is there and could not be read or judged whole: the answer cannot be better than
	// undetermined.
	Unread GapKind = "unread"
	// Restricted is something that the source gives only to those who have a token or have accepted its terms.
	Restricted GapKind = "restricted"
	// Unreachable is a source that did not answer: exit status 5.
	Unreachable GapKind = "unreachable"
)

// Known is a well-known model as our catalog records it.
type Known struct {
	ID         string // org/name on the hub
	License    string // id in the catalog of licenses, "unlisted:name", or "unknown"
	Declared   string // as the source words it
	Base       *Parent
	Source     evidence.Source
	Seen       string // when the source said so: a day, or years as the source allows
	Confidence string // high, medium, low
	Note       string
}

// KnownDataset is a training data set whose terms put what is trained on it at risk.
type KnownDataset struct {
	ID      string          `yaml:"id"`      // org/name on the hub
	License string          `yaml:"license"` // as declared
	Risk    DatasetRisk     `yaml:"risk"`
	Text    string          `yaml:"text"` // what the risk is, in our words
	Source  evidence.Source `yaml:"source"`
}

// DatasetRisk is the kind of risk.
type DatasetRisk string

// The risks.
const (
	NonCommercialData DatasetRisk = "non-commercial" // the data may not be used commercially
	APIOutputs        DatasetRisk = "api-outputs"    // made with an API whose terms bar training rivals on outputs
	UnclearData       DatasetRisk = "unclear"        // collected without a license that covers it
)
