-- How often the program ended while it applied a message that waited when it started; NULL for the others.
ALTER TABLE received_message ADD COLUMN tries INTEGER;
