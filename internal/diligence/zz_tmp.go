package diligence
import ("github.com/llmcheck/llmcheck/internal/license/identify";"github.com/llmcheck/llmcheck/internal/license")
func (in *inquiry) formula(e identify.Expr) license.Formula { return license.Formula{Op: license.Unread, Name: e.ID} }
