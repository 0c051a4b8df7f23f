// Package diligence puts sources, readers and rules together, one function for each question a company asks, and
// returns a report. It decides how evidence about one model is weighed: which statement about a license binds, what
// contradicts what, and how the base models of a model add to its terms.
package diligence

import (
	"time"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/train"
)

// Deps is what answers are made from.
type Deps struct {
	Models   source.Opener
	Licenses Licenses
	Known    KnownModels
	Cards    Accelerators
	Engine   func(kind, version string) (*serve.Engine, error)
	Speed    func() (*speed.Constants, error) // called for each plan that is timed, so it keeps what it reads
	Training func() (*train.Constants, error)
	Fabric   func(card *hardware.Accelerator, id string) (train.Fabric, error)
	Measured Measurements
	Prices   Prices
	Texts    func() (*identify.Index, error) // called when the first text is read
	Now      func() time.Time
	Version  string
	Offline  bool // a lineage is not followed over the network
}

// Measurements is the catalog of measured speed.
type Measurements interface {
	Matching(card, engine, model string) []bench.Measurement // the user's own
	Nearest(q *bench.Question, n int, known bench.Lookup) (near []bench.Near, why string, err error)
}

// Licenses is the catalog of licenses.
type Licenses interface {
	Get(id string) (*license.Terms, error)
	Resolve(name string) []string
}

// KnownModels is the catalog of well-known models.
type KnownModels interface {
	Get(id string) (*model.Known, bool, error)
	Dataset(id string) (*model.KnownDataset, bool, error)
	Organizations() ([]string, error)
	Facts(id string) (*models.Facts, bool, error)
	Resolve(name string) []string
}
