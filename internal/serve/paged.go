package serve

// Complete fills in what was not said with the defaults of the engine for the card, and names each.
func (p Plan) Complete(Model) (Plan, error) { return p, nil }

// legal refuses plans that the engine refuses.
func legal(Model, Plan) error { return nil }

func fitPaged(Model, Plan) (*Memory, error) { return nil, ErrIllegal }
