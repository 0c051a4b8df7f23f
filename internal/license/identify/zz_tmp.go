package identify

type Expr struct{ Op, ID string; Children []Expr }
func Expression(s string, resolve func(string)(string,bool)) (Expr, error) { return Expr{Op:"id",ID:s}, nil }
type Clause struct{ Topic string; StartLine, EndLine int; Quote string }
func Clauses(b []byte) []Clause { return nil }
