package cli

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every record of every kind is found by its kind and id, and without its kind unless another kind has the name too.
func TestEveryRecordIsFound(t *testing.T) {
	c, err := new(global).catalogs("")
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string][]string) // by id
	for _, k := range c.kinds() {
		all, err := k.dated()
		if err != nil || len(all) == 0 {
			t.Fatalf("%s: %d records, %v", k.name, len(all), err)
		}
		for _, r := range all {
			if found, err := c.find(k.name + ":" + r.ID); err != nil || len(found) == 0 {
				t.Errorf("%s:%s: %d found, %v", k.name, r.ID, len(found), err)
			}
			kinds[r.ID] = append(kinds[r.ID], k.name)
		}
	}
	var twice []string
	for id, in := range kinds {
		if _, err := c.find(id); err != nil {
			twice = append(twice, fmt.Sprint(id, " ", in))
		}
	}
	slices.Sort(twice)
	if diff := cmp.Diff([]string{"gcp [seller cloud]"}, twice); diff != "" {
		t.Errorf("ids that want their kind before them (-want +got):\n%s", diff)
	}
}
