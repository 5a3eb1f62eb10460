-- MSH-3: systems of one facility count their control ids each for itself. Of what came before it is not known.
ALTER TABLE received_message ADD COLUMN application TEXT;
