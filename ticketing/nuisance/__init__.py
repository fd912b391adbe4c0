"""Numbers of nuisance callers (骚扰电话): why each is listed, and until when (PX-02)."""
