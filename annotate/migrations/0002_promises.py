"""Promises that hold whatever code runs: annotations never change (P1), nor published taxonomies (P10)."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION annotate_annotation_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF ROW(NEW.*) IS DISTINCT FROM ROW(OLD.*) THEN
        RAISE EXCEPTION 'annotation % is immutable; store a new revision', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER annotation_is_immutable BEFORE UPDATE ON annotate_annotation
    FOR EACH ROW EXECUTE FUNCTION annotate_annotation_is_immutable();

CREATE FUNCTION annotate_taxonomyversion_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL THEN
        RAISE EXCEPTION 'taxonomy version % is published and frozen; make a new version', OLD.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER taxonomyversion_is_frozen BEFORE UPDATE OR DELETE ON annotate_taxonomyversion
    FOR EACH ROW EXECUTE FUNCTION annotate_taxonomyversion_is_frozen();

CREATE FUNCTION annotate_category_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    frozen bigint;
BEGIN
    -- Waits for a publication under way, and makes one wait for us.
    PERFORM 1 FROM annotate_taxonomyversion
        WHERE TG_OP <> 'INSERT' AND id = OLD.taxonomy_version_id
           OR TG_OP <> 'DELETE' AND id = NEW.taxonomy_version_id
        ORDER BY id FOR SHARE;
    SELECT id INTO frozen FROM annotate_taxonomyversion
        WHERE published_at IS NOT NULL
          AND (TG_OP <> 'INSERT' AND id = OLD.taxonomy_version_id
               OR TG_OP <> 'DELETE' AND id = NEW.taxonomy_version_id)
        LIMIT 1;
    IF frozen IS NOT NULL THEN
        RAISE EXCEPTION 'taxonomy version % is published and frozen; make a new version', frozen
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER category_is_frozen BEFORE INSERT OR UPDATE OR DELETE ON annotate_category
    FOR EACH ROW EXECUTE FUNCTION annotate_category_is_frozen();
"""

BACKWARD = """
DROP TRIGGER category_is_frozen ON annotate_category;
DROP FUNCTION annotate_category_is_frozen();
DROP TRIGGER taxonomyversion_is_frozen ON annotate_taxonomyversion;
DROP FUNCTION annotate_taxonomyversion_is_frozen();
DROP TRIGGER annotation_is_immutable ON annotate_annotation;
DROP FUNCTION annotate_annotation_is_immutable();
"""


class Migration(migrations.Migration):
    dependencies = [("annotate", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
