package serve

func fitLlama(Model, Plan) (*Memory, error) { return nil, ErrIllegal }
