from django.urls import path

from curation import views

urlpatterns = [
    path("projects/<slug:slug>/mixes/", views.mixes, name="mixes"),
    path("projects/<slug:slug>/mixes/exports/<int:export_id>/", views.export, name="export"),
    path(
        "projects/<slug:slug>/mixes/exports/<int:export_id>/download/",
        views.export_download,
        name="export_download",
    ),
]
