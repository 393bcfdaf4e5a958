from django.contrib.auth import views as auth
from django.urls import path

from annotate.views import annotating, data, projects, reviewing, settings

urlpatterns = [
    path("", projects.projects, name="projects"),
    path("sign-in/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("sign-out/", auth.LogoutView.as_view(), name="logout"),
    path("projects/new/", projects.new_project, name="new_project"),
    path("projects/<slug:slug>/", projects.project, name="project"),
    path("projects/<slug:slug>/annotate/", annotating.annotate, name="annotate"),
    path("projects/<slug:slug>/annotate/<int:item_id>/", annotating.reopen, name="reopen"),
    path("projects/<slug:slug>/annotate/<int:item_id>/submit/", annotating.submit, name="submit"),
    path("projects/<slug:slug>/annotate/<int:item_id>/skip/", annotating.skip, name="skip"),
    path("projects/<slug:slug>/annotate/<int:item_id>/flag/", annotating.flag, name="flag"),
    path("projects/<slug:slug>/annotate/<int:item_id>/image/", annotating.image, name="item_image"),
    path("projects/<slug:slug>/annotate/undo/", annotating.undo, name="undo"),
    path("projects/<slug:slug>/review/", reviewing.review, name="review"),
    path("projects/<slug:slug>/review/<int:item_id>/decide/", reviewing.decide, name="decide"),
    path("projects/<slug:slug>/items/", data.items, name="items"),
    path("projects/<slug:slug>/import/", data.import_page, name="import"),
    path("projects/<slug:slug>/import/<int:import_id>/", data.import_progress, name="import_progress"),
    path("projects/<slug:slug>/agreement/", data.agreement, name="agreement"),
    path("projects/<slug:slug>/settings/", settings.settings, name="settings"),
    path("projects/<slug:slug>/settings/members/", settings.add_member, name="add_member"),
    path(
        "projects/<slug:slug>/settings/members/<int:membership_id>/remove/",
        settings.remove_member,
        name="remove_member",
    ),
    path("projects/<slug:slug>/settings/guidelines/", settings.publish, name="publish_guidelines"),
]
