package catalog

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/llmcheck/llmcheck/internal/model"
)

var (
	licenseForm = regexp.MustCompile(`^(unlisted:)?[a-z0-9][a-z0-9.+-]*$`)
	seenForm    = regexp.MustCompile(`^[0-9]{4}(-[0-9]{2}){0,2}((-| to )[0-9]{4}(-[0-9]{2}){0,2})?$`)
	relations   = []model.Relation{
		model.Finetune, model.Adapter, model.Quantized, model.Merge, model.Distill, model.Pruned, model.Copy, model.Derived,
	}
	confidences = []string{"high", "medium", "low"}
)

// check reports every fault of a record at once. The name is that of its file, without the ending.
func check(name string, r *record) error {
	var faults []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	file, ok := nameOf(r.ID)
	want(ok, "id %q is not an id on the hub, such as org/name", r.ID)
	want(!ok || file == name, "id %q belongs into the file %s.yaml", r.ID, file)
	want(licenseForm.MatchString(r.License), "license %q: give an id of the catalog of licenses, unlisted:name or unknown", r.License)
	want(r.Source.Title != "", "source.title is missing: say where the license was read")
	want(r.Seen == "" || seenForm.MatchString(r.Seen), "seen %q is not a day, a month, a year or two of them", r.Seen)
	want(slices.Contains(confidences, r.Confidence), "confidence: %q is not one of %v", r.Confidence, confidences)
	want(r.Seen != "" || r.Confidence == "low", "seen is missing: only what was not read may lack it, with confidence low")
	if b := r.Base; b != nil {
		parent, ok := nameOf(b.ID)
		want(ok, "base.id %q is not an id on the hub, such as org/name", b.ID)
		want(parent != file, "base.id %q is the model itself", b.ID)
		want(slices.Contains(relations, b.Relation), "base.relation: %q is not one of %v", b.Relation, relations)
	}
	r.checkShape(want)
	return errors.Join(faults...)
}
