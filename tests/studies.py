"""What a study leaves behind, for tests that compare runs of it."""

from al_core.records import ExperimentStatus
from al_core.store import open_store


def outcome(settings):
    """Everything of the only study that must not depend on where it ran, or on who died meanwhile."""
    store = open_store(settings)
    try:
        (study,) = store.studies()
        found = []
        for cell in store.study_experiments(study.id):
            assert cell.status is ExperimentStatus.FINISHED, store.jobs(experiment_id=cell.id)
            rounds = [
                (r.num_labeled, dict(r.metrics), r.confusion, r.artefacts) for r in store.rounds(cell.id)
            ]
            asked = [[(i.sample_id, i.score) for i in query.items] for query in store.queries(cell.id)]
            losses = [(e.round, e.epoch, e.train_loss) for e in store.epochs(cell.id)]
            labels = [(e.sample_id, e.value, e.round) for e in store.label_events(cell.id)]
            found.append((cell.cell, cell.config.to_json(), cell.split_hash, rounds, asked, losses, labels))
        assert store.check() == []
        return found
    finally:
        store.close()
