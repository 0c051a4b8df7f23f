package catalog

import (
	"fmt"
	"testing"

	"github.com/llmcheck/llmcheck/internal/train"
)

func TestZZ(t *testing.T) {
	c, _ := train.Default()
	all := every(t)
	for i := range all {
		if all[i].ID != "deepseek-v3-readme/1" {
			continue
		}
		for _, ep := range []int{1, 8, 16, 32, 64} {
			for _, pp := range []int{4, 8, 16} {
				for _, tp := range []int{1, 2, 8} {
					for _, re := range []train.Recompute{train.None, train.Selective, train.Whole} {
						j, p, _ := all[i].Question(true)
						j.Recompute = re
						p.Tensor, p.Pipeline, p.Expert = tp, pp, ep
						j, p, _, err := train.Complete(j, p)
						if err != nil {
							fmt.Println(tp, pp, ep, err)
							continue
						}
						m, err := train.Account(&j, &p)
						f, err2 := c.Time(&j, &p)
						if err != nil || err2 != nil {
							fmt.Println(tp, pp, ep, err, err2)
							continue
						}
						fmt.Printf("T%d P%d(%d) E%d %s mb%d gb%d: %s %.0f-%.0f-%.0f GiB of %.0f, hours %.3g bubble %.2f\n", tp, pp, p.Virtual, ep, re, p.Micro, j.Global, m.Verdict, m.Total.Low/(1<<30), m.Total.Mid/(1<<30), m.Total.High/(1<<30), float64(m.Capacity)/(1<<30), f.Run.GPUHours.Mid, f.BubbleShare)
						if tp == 1 && pp == 16 && ep == 64 {
							for _, x := range m.Terms {
								fmt.Printf("     %s %s %.1f %s\n", x.Part, x.Name, x.Bytes.Mid/(1<<30), x.Formula)
							}
							for _, x := range f.Parts {
								fmt.Printf("     %s %.1f%%\n", x.Name, 100*x.Seconds/f.StepSeconds.Mid)
							}
						}
					}
				}
			}
		}
	}
}
